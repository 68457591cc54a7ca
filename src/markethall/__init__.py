"""Markethall: one backend, with its own pages, for everything a small company sells online."""

__version__ = "0.1.0"
