from __future__ import annotations

from markethall.kernel.errors import Gone, Invalid, NotFound


class LeadMissing(NotFound):
    code, title = "lead_not_found", "There is no such enquiry"


class LinkEnded(Gone):
    code, title = "lead_link_ended", "This link has ended"


class PictureUnknown(Invalid):
    code, title = "picture_unknown", "A picture is not there, or was sent already"


class TooManyPictures(Invalid):
    code, title = "too_many_pictures", "These are too many pictures"


class NotAssignable(Invalid):
    code, title = "not_assignable", "This person cannot look after enquiries"
