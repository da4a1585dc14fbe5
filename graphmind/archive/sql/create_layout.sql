-- The version of what the columns mean; the columns themselves are compared by name and type.
CREATE TABLE layout (version INTEGER NOT NULL);
