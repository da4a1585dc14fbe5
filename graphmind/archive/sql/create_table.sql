-- A table with the columns of an Arrow schema: they are declared once, there.
CREATE TABLE {table} AS FROM shape;
