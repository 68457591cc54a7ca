from __future__ import annotations

from markethall.kernel.errors import Conflict, NotFound, Problem


class MailMissing(NotFound):
    code, title = "mail_not_found", "There is no such mail"


class MailWithheld(Conflict):
    code, title = "mail_withheld", "This mail's link is kept no longer"


class SuppressionMissing(NotFound):
    code, title = "suppression_not_found", "Nothing keeps us from writing to this address"


class InvalidWebhook(Problem):
    status, code, title = 400, "invalid_signature", "This webhook is not signed as it should be"


class UnknownCarrier(NotFound):
    code, title = "unknown_carrier", "Nobody of this name carries mails here"


class CarrierUnwell(Problem):
    """Who carries our mails did not answer as expected."""

    status, code, title = 502, "carrier_unwell", "The mail service did not answer as expected"
