"""The dashboards, built from code into ``dashboards/``."""
