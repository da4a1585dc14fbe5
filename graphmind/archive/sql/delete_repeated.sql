-- Works on rows of this transaction and on stored ones alike.
DELETE FROM spans WHERE rowid IN (FROM repeated);
