"""The property graph: schema declared once, projection of facts, two engines."""
