"""Writes to the catalogue, one verb a file. Whoever changes a product locks its row first."""
