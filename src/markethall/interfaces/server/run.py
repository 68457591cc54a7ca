from __future__ import annotations

import errno
import os
import signal
import socket
import time

import uvicorn
from django.conf import settings

from markethall.interfaces.server.parts import Part, Parts


class PortTaken(SystemExit):
    """Nobody can listen on this port; the message says what to do."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on ``host:port``. Raises PortTaken with the mend."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            mend = f"Port {port} is in use. Choose another: --port {port + 1}"
        elif error.errno == errno.EACCES:
            mend = f"Port {port} needs root. Choose one above 1023: --port 8000"
        else:
            mend = f"Cannot listen on {host}:{port}: {error.strerror}."
        raise PortTaken(mend) from None
    listener.listen(2048)
    listener.set_inheritable(True)
    return listener


def web_parts(listener: socket.socket) -> list[Part]:
    """``WEB_PROCESSES`` processes that answer on one socket."""
    for old in settings.METRICS_DIR.glob("*.db"):
        old.unlink(missing_ok=True)
    count = settings.ENVIRONMENT.web_processes
    return [Part(f"web {number}", lambda: _answer(listener)) for number in range(1, count + 1)]


def _answer(listener: socket.socket) -> None:
    from markethall.config.asgi import application

    config = uvicorn.Config(
        application,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=30,
    )
    uvicorn.Server(config).run(sockets=[listener])


def run(*, host: str, port: int) -> None:
    """Serve until stopped, with ``WEB_PROCESSES`` processes that are restarted when they die."""
    import markethall.config.asgi  # noqa: F401, loaded once, before the processes part

    parts = Parts(web_parts(listen(host, port)), tell=lambda text: print(text, flush=True))  # noqa: T201
    signal.signal(signal.SIGTERM, interrupt)
    try:
        while True:
            parts.ensure_running()
            time.sleep(0.25)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        parts.stop()
    os._exit(0)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt
