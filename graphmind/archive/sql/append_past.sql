INSERT INTO past_extents FROM leaving;
