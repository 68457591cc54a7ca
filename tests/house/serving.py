"""HTTP servers on loopback, for peers that stand in: they answer at once and stop at once."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_LOOKS_EVERY = 0.01  # seconds between looks whether to stop


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else a body waits 40 ms, until the client has acknowledged the head.
    disable_nagle_algorithm = True

    def log_message(self, *args: Any) -> None:
        """Quietly."""


class Server(ThreadingHTTPServer):
    """Listens at a free port from the moment it is made, and ends with its ``close``."""

    # A connection that finds no room here is tried again only after a second.
    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(_LOOKS_EVERY,), daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()
