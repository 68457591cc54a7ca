from __future__ import annotations

from markethall.kernel.errors import NotFound


class MailMissing(NotFound):
    code, title = "mail_not_found", "There is no such mail"
