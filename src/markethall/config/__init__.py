"""Wiring only: environment, Django settings, URLs, and the one application of the one port."""
