"""The reference platform broken and healed while one watches."""
