"""Which class of root cause an incident belongs to, by rules and by cases somebody confirmed."""
