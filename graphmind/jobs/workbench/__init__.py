"""What the command line can ask, of the stores themselves or of the server that owns them."""
