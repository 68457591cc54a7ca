"""The server of the one port."""
