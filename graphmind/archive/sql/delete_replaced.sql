-- Stored rows that had not ended give way to those that have.
DELETE FROM spans WHERE rowid IN (SELECT place FROM repeated WHERE NOT arrives);
