"""Jobs: each calls one flow or action, and can run twice."""
