"""The command ``markethall``."""
