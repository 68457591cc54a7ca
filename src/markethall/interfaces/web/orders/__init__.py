"""A customer's order: what it is, how it stands (live), its papers, and paying again. A guest sees
it by a signed link."""
