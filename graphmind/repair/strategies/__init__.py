"""The strategy library: which repair answers which finding, as YAML that people review (S11)."""
