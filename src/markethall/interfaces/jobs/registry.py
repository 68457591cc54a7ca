"""All jobs, so that a worker knows them. ``kernel.jobs.enqueue`` names them."""

from markethall.interfaces.jobs import books, files, imaging, mail, payments, upkeep

__all__ = ["books", "files", "imaging", "mail", "payments", "upkeep"]
