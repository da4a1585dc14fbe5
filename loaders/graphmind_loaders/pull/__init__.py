"""Sources that are pulled: servers asked again and again."""
