from __future__ import annotations

from markethall.kernel.errors import Problem


class UnsupportedMediaType(Problem):
    status, code, title = 415, "unsupported_media_type", "This kind of file is not accepted"


class InvalidPicture(Problem):
    status, code, title = 422, "invalid_picture", "This file cannot be used as a picture"


class InfectedFile(Problem):
    status, code, title = 422, "infected_file", "The virus scanner refused this file"


class ScannerUnavailable(Problem):
    status, code, title = 503, "scanner_unavailable", "Files cannot be checked at the moment"

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            detail or "Try again in a few minutes: nothing was kept.", headers={"Retry-After": "60"}
        )


class StorageUnavailable(Problem):
    status, code, title = 503, "storage_unavailable", "Files cannot be reached at the moment"

    def __init__(self, detail: str = "") -> None:
        super().__init__(
            detail or "Try again in a few minutes: nothing is lost.", headers={"Retry-After": "60"}
        )
