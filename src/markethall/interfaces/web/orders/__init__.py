"""A customer's order: what it is, how it stands (live), its receipt, and paying again."""
