"""Who asks: keys, tokens of an OpenID provider, sessions of the console; and how much."""
