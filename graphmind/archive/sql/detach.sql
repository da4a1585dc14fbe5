-- What is the default database cannot be detached.
USE memory;
DETACH archive;
