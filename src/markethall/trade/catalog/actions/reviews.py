from __future__ import annotations

import uuid

from django.db import IntegrityError, transaction
from django.db.models import Count, Sum

from markethall.foundation.accounts.models import User
from markethall.foundation.audit.actions import record
from markethall.kernel import clock
from markethall.kernel.locking import lock, lock_one
from markethall.kernel.texts import one_line, paragraphs
from markethall.trade.catalog.errors import AlreadyReviewed, ReviewMissing
from markethall.trade.catalog.models import Product, Review


def add_review(
    *, product: Product, user: User, rating: int, title: str = "", text: str = ""
) -> Review:
    """Somebody's review of what they bought, with 1 to 5 stars; the caller knows that they did.
    Raises AlreadyReviewed."""
    try:
        with transaction.atomic():
            lock_one(Product.objects.filter(pk=product.pk))
            review = Review.objects.create(
                product=product,
                user=user,
                name=(one_line(user.name).split() or ["A customer"])[0][:80],
                rating=rating,
                title=one_line(title),
                text=paragraphs(text),
                created_at=clock.now(),
            )
            _reckon(product.pk)
    except IntegrityError as error:
        raise AlreadyReviewed from error
    return review


def hide_review(
    *,
    product_id: uuid.UUID,
    review_id: uuid.UUID,
    hidden: bool,
    actor_id: uuid.UUID,
    reason: str = "",
) -> Review:
    """Hide a review, or show it again. Its stars count while it is shown; ``reason`` stands in
    the audit log. Raises ReviewMissing."""
    with transaction.atomic():
        review = _locked(product_id, review_id)
        review.is_hidden = hidden
        review.save(update_fields=["is_hidden"])
        _reckon(product_id)
        record(
            "review.hide" if hidden else "review.show",
            actor_id=actor_id,
            subject_type="product",
            subject_id=product_id,
            review=str(review_id),
            reason=reason,
        )
    return review


def forget_reviews(user: User) -> None:
    """Delete all that somebody has said of products."""
    with transaction.atomic():
        reviews = Review.objects.filter(user=user)
        products = lock(Product.objects.filter(pk__in=reviews.values("product")))
        reviews.delete()
        for product in products:
            _reckon(product.pk)


def _locked(product_id: uuid.UUID, review_id: uuid.UUID) -> Review:
    lock(Product.objects.filter(pk=product_id))
    return lock_one(Review.objects.filter(pk=review_id, product=product_id), missing=ReviewMissing)


def _reckon(product_id: uuid.UUID) -> None:
    shown = Review.objects.filter(product=product_id, is_hidden=False)
    sums = shown.aggregate(stars=Sum("rating"), count=Count("pk"))
    Product.objects.filter(pk=product_id).update(
        rating_sum=sums["stars"] or 0, rating_count=sums["count"]
    )
