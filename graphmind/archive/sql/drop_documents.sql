DELETE FROM documents WHERE kind = $kind AND id IN (FROM given_ids);
