"""The sandbox's tools as pages: the outbox and the clock. In production they do not exist."""
