from __future__ import annotations

import uvicorn
from django.conf import settings


def run(*, host: str, port: int) -> None:
    """Serve until stopped, with ``WEB_PROCESSES`` processes that are restarted when they die."""
    uvicorn.run(
        "markethall.config.asgi:application",
        host=host,
        port=port,
        workers=settings.ENVIRONMENT.web_processes,
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
