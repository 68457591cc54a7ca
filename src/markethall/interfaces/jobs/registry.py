"""All jobs, so that a worker knows them. ``kernel.jobs.enqueue`` names them."""

from markethall.interfaces.jobs import mail, payments, upkeep

__all__ = ["mail", "payments", "upkeep"]
