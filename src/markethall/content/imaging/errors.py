from __future__ import annotations

from markethall.kernel.errors import Conflict, NotFound, Problem


class InsufficientCredits(Problem):
    """``pricingUrl`` leads to where credits are sold."""

    status, code, title = 402, "insufficient_credits", "You have no credits left"


class NoSuchUpload(NotFound):
    code, title = "upload_not_found", "There is no such upload"


class NoSuchGeneration(NotFound):
    code, title = "generation_not_found", "There is no such picture"


class StillProcessing(Conflict):
    code, title = "still_processing", "This picture is being made"


class NotPending(Conflict):
    code, title = "not_pending", "This picture is no longer waiting"


class NotCompleted(Conflict):
    code, title = "not_completed", "This picture is not ready"


class GenerationsClosed(Conflict):
    code, title = "generations_closed", "No pictures are made at the moment"


class BadWebhook(Problem):
    status, code, title = 400, "invalid_signature", "This webhook is not signed as it should be"
