INSERT OR REPLACE INTO documents SELECT $kind, id, document FROM given_documents;
