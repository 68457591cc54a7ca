"""All jobs, so that a worker knows them. ``kernel.jobs.enqueue`` names them."""

from markethall.interfaces.jobs import books, files, goods, imaging, mail, payments, stock, upkeep

__all__ = ["books", "files", "goods", "imaging", "mail", "payments", "stock", "upkeep"]
