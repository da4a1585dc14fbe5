"""The property graph: schema declared once, projection of facts, and two engines behind one port."""
