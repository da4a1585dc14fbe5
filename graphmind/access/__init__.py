"""Who may use a data folder: roles, API keys, and how its running server is found."""
