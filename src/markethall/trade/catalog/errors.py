from __future__ import annotations

from markethall.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class OfferMissing(Invalid):
    code, title = "offer_not_found", "There is no such offer"


class StorefrontMissing(Invalid):
    code, title = "storefront_not_found", "There is no such storefront"


class ProductMissing(NotFound):
    code, title = "product_not_found", "There is no such product"


class ConfigurationInvalid(Invalid):
    code, title = "configuration_invalid", "This cannot be made as it was chosen"


class NotSoldInCurrency(Invalid):
    code, title = "currency_not_sold", "This is not sold in that currency"


class CategoryMissing(NotFound):
    code, title = "category_not_found", "There is no such category"


class CollectionMissing(NotFound):
    code, title = "collection_not_found", "There is no such collection"


class SlugTaken(Conflict):
    code, title = "slug_taken", "Another one has this slug"


class SkuTaken(Conflict):
    code, title = "sku_taken", "Another variant has this SKU"


class ChangedMeanwhile(Conflict):
    code, title = "changed_meanwhile", "Somebody else has changed this meanwhile"


class StatusMoveNotAllowed(Conflict):
    code, title = "status_move_not_allowed", "This product cannot go into that state"


class CategoryInUse(Conflict):
    code, title = "category_in_use", "This category still has categories or products in it"


class AlreadyReviewed(Conflict):
    code, title = "already_reviewed", "You have reviewed this already"


class PictureMissing(NotFound):
    code, title = "picture_not_found", "There is no such picture"


class ReviewMissing(NotFound):
    code, title = "review_not_found", "There is no such review"


class ImportMissing(NotFound):
    code, title = "import_not_found", "There is no such import"


class FileForgotten(Conflict):
    code, title = "file_forgotten", "This file is not kept any more: choose it again"


class DryRunNotOver(Conflict):
    code, title = "dry_run_not_over", "The dry run of this file is not over yet: wait for its end"


class NotBought(Forbidden):
    code, title = "not_bought", "Only who bought this can review it"
