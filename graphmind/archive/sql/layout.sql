-- The version a database states, first.
SELECT version FROM layout;
