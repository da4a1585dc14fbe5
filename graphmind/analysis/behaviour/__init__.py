"""Trace behaviour: which traces are unlike the usual ones, without labels and without names."""
