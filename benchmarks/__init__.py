"""Accuracy and speed, one command each; not part of the package."""
