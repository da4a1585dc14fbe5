SELECT id, document FROM documents WHERE kind = $kind ORDER BY id;
