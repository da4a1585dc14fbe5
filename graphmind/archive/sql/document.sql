SELECT document FROM documents WHERE kind = $kind AND id = $id;
