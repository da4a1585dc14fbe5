"""What others would do on the same window, one function each."""
