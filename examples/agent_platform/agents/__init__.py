"""The agents: what each class does with a task."""
