"""Open pages hear what changed: server-sent events and WebSocket on ``/api/live``."""
