from __future__ import annotations

from markethall.kernel.errors import Conflict, NotFound


class WishMissing(NotFound):
    code, title = "wish_not_found", "This is not on the wishlist"


class WishlistMissing(NotFound):
    code, title = "wishlist_not_found", "There is no such wishlist, or it is no longer shared"


class WishlistFull(Conflict):
    code, title = "wishlist_full", "The wishlist is full"
