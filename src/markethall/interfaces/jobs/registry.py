"""All jobs, so that a worker knows them. ``kernel.jobs.enqueue`` names them."""

from markethall.interfaces.jobs import imaging, mail, payments, upkeep

__all__ = ["imaging", "mail", "payments", "upkeep"]
