"""Whether a repair worked: exact sequential tests on the traces that started after it."""
