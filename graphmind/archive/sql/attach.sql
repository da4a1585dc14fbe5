-- The archive's database; only what is attached can be told the size of its row groups.
ATTACH $path AS archive (ROW_GROUP_SIZE {rows});
