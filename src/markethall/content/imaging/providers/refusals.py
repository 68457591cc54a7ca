"""What people are told when a provider will not make their picture."""

from __future__ import annotations

OF_PHOTO_OR_NOTE = (
    "This photo or note is not something we can make a toy of: it was held back as unsafe or"
    " protected. Try another photo, or change the note."
)
