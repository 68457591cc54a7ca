from __future__ import annotations

from markethall.kernel.errors import Conflict, NotFound


class MailMissing(NotFound):
    code, title = "mail_not_found", "There is no such mail"


class MailWithheld(Conflict):
    code, title = "mail_withheld", "This mail's link is kept no longer"
