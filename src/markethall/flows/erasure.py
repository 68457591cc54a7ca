"""Erasing a person: what is personal goes, the books stay whole.

The account keeps its row under a made-up address, because orders, payments and the ledger refer
to its id. What gateways know of it is deleted there by a job. Orders that wait for money are
cancelled; money that comes all the same goes back, and so does that of goods which have not left.
Credits that are left are booked out. Backups keep what they have until they are thrown away.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models import QuerySet

from markethall.content.imaging.actions import OPEN
from markethall.content.imaging.models import Generation
from markethall.flows import customers, refunds
from markethall.flows.checkout import cancel_order
from markethall.flows.order_cancel import undo_free
from markethall.foundation.accounts.models import Address, Token, User, UserSettings
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.accounts.sign_in import confirm_identity
from markethall.foundation.accounts.staff import check_not_last, check_reach, person
from markethall.foundation.audit.actions import record
from markethall.foundation.files.actions import delete_file
from markethall.foundation.files.models import StoredFile
from markethall.foundation.ledger.actions import (
    grant_credits,
    lock_balance,
    release_hold,
    take_back_credits,
)
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.messaging.models import Mail, MailStatus, Suppression
from markethall.foundation.payments.errors import NothingToRefund
from markethall.insight.analytics.actions import forget
from markethall.insight.analytics.rules import viewer_of
from markethall.kernel import clock
from markethall.kernel.locking import lock, lock_one
from markethall.kernel.models import IdempotentAnswer
from markethall.trade.cart.models import Cart
from markethall.trade.catalog.actions.reviews import forget_reviews
from markethall.trade.catalog.models import LineKind
from markethall.trade.leads.models import Lead
from markethall.trade.orders import rules
from markethall.trade.orders.actions import forget_buyers
from markethall.trade.orders.errors import OrderMissing
from markethall.trade.orders.models import Order, OrderStatus
from markethall.trade.shipping.models import Shipment, ShipmentStatus
from markethall.trade.vouchers.models import VoucherUse
from markethall.trade.wishlist.models import WishlistItem, WishlistLink

_BELONGINGS = (
    Token,
    Address,
    UserSettings,
    Authenticator,
    SocialAccount,
    EmailAddress,
    WishlistItem,
    WishlistLink,
)


_ERASED = "The account was erased."


def erase_own_account(*, user: User, password: str, token: Token | None = None) -> None:
    """Erase one's own account, with the password; who has none must have signed in recently.

    Raises WrongPassword, SignInAgain, TooManyRequests, and what ``erase_account`` raises.
    """
    confirm_identity(user=user, password=password, token=token)
    erase_account(user_id=user.pk, actor=user)


def erase_account(*, user_id: uuid.UUID, actor: User) -> None:
    """Erase somebody. Raises NotFound, LastSuperAdmin, and Forbidden for who may do more than
    ``actor``."""
    with transaction.atomic(durable=True):
        super_admins = lock(User.objects.filter(role=Role.SUPER_ADMIN, is_active=True))
        person(user_id)
        user = lock_one(User.objects.filter(pk=user_id))
        check_reach(actor=actor, user=user)
        check_not_last(user, super_admins)
        address = f"erased-{user.pk.hex}@erased.invalid"
        Cart.objects.filter(user=user).delete()  # carts are locked before orders
        VoucherUse.objects.filter(customer_id=user.pk).update(email=address)
        _end_orders_and_mails(user, address, actor.pk)
        _end_generations(user)
        lock_balance(user.pk)
        _end_generations(user)  # those asked for until the wallet was locked
        _delete_leads(user)
        _delete_files(user)
        _book_out(user, actor.pk)
        _delete_belongings(user)
        customers.forget_later(user.pk)
        tell_erased(user, by_staff=actor.pk != user.pk)
        _blank_user(user, address)
        record("user.erase", actor_id=actor.pk, subject_type="user", subject_id=user.pk)


def tell_erased(user: User, *, by_staff: bool) -> None:
    """The last mail: the one trace of the address, and only until it is sent."""
    send_mail(
        "account_deleted",
        to=user.email,
        context={"user": user, "by_staff": by_staff},
        fleeting=True,
    )


def _end_orders_and_mails(user: User, address: str, actor_id: uuid.UUID) -> None:
    _forget_orders(lock(Order.objects.filter(customer_id=user.pk)), address, actor_id)
    _blank_mails(Mail.objects.filter(user_id=user.pk) | Mail.objects.filter(to=user.email), address)
    Suppression.objects.filter(address=user.email).delete()


def erase_guest(*, order_id: uuid.UUID, actor_id: uuid.UUID) -> int:
    """Erase the guest who placed an order, with everything else bought without an account by the
    same address; returns how many orders that were. Raises OrderMissing."""
    with transaction.atomic(durable=True):
        seen = Order.objects.filter(pk=order_id, customer_id=None, erased_at=None).first()
        if seen is None:
            raise OrderMissing
        orders = lock(Order.objects.filter(customer_id=None, email=seen.email))
        address = f"erased-{order_id.hex}@erased.invalid"
        receipts = [order.receipt_id for order in orders if order.receipt_id]
        _forget_orders(orders, address, actor_id)
        has_account = User.objects.filter(email=seen.email).exists()
        if not has_account:
            _blank_mails(Mail.objects.filter(to=seen.email), address)
            Suppression.objects.filter(address=seen.email).delete()
        for file in lock(StoredFile.objects.filter(pk__in=receipts)):
            delete_file(file)
        record("orders.erase_guest", actor_id=actor_id, subject_type="order", subject_id=order_id)
    return len(orders)


def _forget_orders(orders: Sequence[Order], address: str, actor_id: uuid.UUID) -> None:
    """What waits for money is cancelled, and the money of what has not left goes back: it can no
    longer be sent to anybody."""
    for order in orders:
        if order.status in rules.PAYABLE:
            cancel_order(order_id=order.pk, actor_id=actor_id, note=_ERASED)
            order.refresh_from_db()
        elif _waits_to_be_sent(order):
            _undo(order, actor_id)
    forget_buyers(orders, email=address)
    VoucherUse.objects.filter(reference__in=[order.pk for order in orders]).update(email=address)


def _undo(order: Order, actor_id: uuid.UUID) -> None:
    if order.payment_id is None:
        undo_free(order, actor_id=actor_id, note=_ERASED)
        return
    # Nothing to refund: all of it is on its way back already.
    with suppress(NothingToRefund):
        refunds.refund_later(order_id=order.pk, reason=_ERASED, actor_id=actor_id)


def _waits_to_be_sent(order: Order) -> bool:
    return (
        order.status in {OrderStatus.PAID, OrderStatus.FULFILLED}
        and order.lines.filter(kind=LineKind.GOODS).exists()
        and not Shipment.objects.filter(reference=order.pk)
        .exclude(status=ShipmentStatus.PACKED)
        .exists()
    )


def _blank_mails(mails: QuerySet[Mail], address: str) -> None:
    waiting = mails.filter(status__in=[MailStatus.QUEUED, MailStatus.SENDING])
    waiting.update(status=MailStatus.FAILED)
    mails.update(
        to=address,
        subject="",
        text="",
        html="",
        attachments=[],
        error="",
        secrets=[],
        withheld=True,
        unsubscribe_url="",
    )


def _end_generations(user: User) -> None:
    for generation in lock(Generation.objects.filter(user_id=user.pk)):
        if generation.status in OPEN:
            release_hold(generation.hold_id, metadata={"reason": "The account was erased."})
        generation.delete()


def _delete_leads(user: User) -> None:
    """What they asked for, also before they had the account; the pictures with it."""
    leads = Lead.objects.filter(customer_id=user.pk) | Lead.objects.filter(email=user.email)
    for lead in lock(leads):
        for picture in lead.pictures.select_related("file"):
            delete_file(picture.file)
        lead.delete()


def _delete_files(user: User) -> None:
    for file in lock(StoredFile.objects.filter(owner_id=user.pk)):
        delete_file(file)


def _book_out(user: User, actor_id: uuid.UUID) -> None:
    left = lock_balance(user.pk)
    booking: dict[str, Any] = {
        "user_id": user.pk,
        "kind": "admin",
        "key": f"erasure:{user.pk}",
        "actor_id": actor_id,
        "metadata": {"reason": "The account was erased."},
    }
    if left > 0:
        take_back_credits(amount=left, **booking)
    elif left < 0:
        grant_credits(amount=-left, **booking)


def _delete_belongings(user: User) -> None:
    for model in (
        Token,
        Address,
        UserSettings,
        WishlistItem,
        WishlistLink,
        Authenticator,
        SocialAccount,
        EmailAddress,
    ):
        model.objects.filter(user=user).delete()
    forget_reviews(user)
    forget(viewer_of(user.pk, None))
    IdempotentAnswer.objects.filter(scope__startswith=f"{user.pk}:").delete()


def _blank_user(user: User, address: str) -> None:
    user.email, user.name, user.phone = address, "", ""
    user.role, user.is_active, user.erased_at = Role.CUSTOMER, False, clock.now()
    # Sessions are tied to the password and end with it.
    user.set_unusable_password()
    user.last_login = None
    user.save()
