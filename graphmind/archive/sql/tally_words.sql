-- Documents of a kind by a text in them.
SELECT document ->> $path AS word, count(*)
FROM documents
WHERE kind = $kind AND word IS NOT NULL
GROUP BY word
ORDER BY word;
