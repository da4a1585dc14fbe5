"""Which failing traces share a cause, and which one. Pure: arrays in, frozen results out."""
