"""The story of the demo data. Each step looks whether it has been told, so that a story that
was cut off goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from io import BytesIO

from django.contrib.auth.hashers import make_password
from django.db import transaction

from markethall.content.imaging.actions import set_favorite
from markethall.content.imaging.models import Generation
from markethall.flows.chargebacks import follow
from markethall.flows.checkout import Started, Wanted, start_checkout
from markethall.flows.credit_correction import correct_credits
from markethall.flows.generation import start_generation
from markethall.flows.reconciliation import look
from markethall.flows.refunds import refund_order
from markethall.foundation.accounts.actions import mark_verified, register
from markethall.foundation.accounts.belongings import add_address, change_settings
from markethall.foundation.accounts.models import Address, User
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.accounts.queries import user_by_email
from markethall.foundation.accounts.staff import change_user, make_super_admin
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.files.actions import accept_picture
from markethall.foundation.payments.gateways.sandbox import counter
from markethall.foundation.payments.models import Payment
from markethall.interfaces.demo import elysium
from markethall.interfaces.demo.pictures import PHOTOS
from markethall.kernel.ids import new_secret
from markethall.kernel.locking import lock_one
from markethall.trade.orders.models import Order

PASSWORD = "markethall-demo"  # noqa: S105, a sandbox's
DOMAIN = "demo.markethall.test"
STAFF = {
    Role.ADMIN: "Alma Admin",
    Role.FINANCE: "Felix Finance",
    Role.LOGISTICS: "Lou Logistics",
    Role.VENDOR: "Vera Vendor",
}
CUSTOMERS = {"customer": "Casey Customer", "mira": "Mira Winter", "jonas": "Jonas Berg"}
PICTURES = (
    ("customer", "cat", "cute-fluffy", "medium", "with a soft smile"),
    ("customer", "mug", "cartoon-style", "small", ""),
    ("customer", "rocket", "realistic-plush", "medium", "ready for the moon"),
    ("mira", "cat", "minimalist", "small", ""),
)


def tell() -> Iterator[str]:
    """Tell the story; yields what has been done."""
    boss = _super_admin()
    customers = {name: _customer(name, full) for name, full in CUSTOMERS.items()}
    yield f"{len(customers)} customers"
    for role, name in STAFF.items():
        _staff(boss, role, name)
    yield f"{len(STAFF) + 1} people of the staff"
    _pictures(customers)
    yield f"{len(PICTURES)} pictures asked for"
    _purchases(customers)
    yield "purchases: paid, declined, refunded in part"
    _correction(customers["jonas"])
    yield "a correction by an admin"
    yield from elysium.tell(customers)


def _super_admin() -> User:
    email = f"{Role.SUPER_ADMIN}@{DOMAIN}"
    found = user_by_email(email)
    if found:
        return found
    user, _ = make_super_admin(email=email, password=new_secret(), name="Sol Super-Admin")
    return _with_demo_password(user)


def _customer(name: str, full_name: str) -> User:
    email = f"{name}@{DOMAIN}"
    user = user_by_email(email)
    if user is None:
        user = _with_demo_password(register(email=email, password=new_secret(), name=full_name))
    with transaction.atomic():
        user = lock_one(User.objects.filter(pk=user.pk))
        mark_verified(user, actor_id=user.pk)
    return user


def _with_demo_password(user: User) -> User:
    """The password that everybody knows, and that nobody could choose for themselves."""
    user.password = _encoded_password()
    user.save(update_fields=["password"])
    return user


@cache
def _encoded_password() -> str:
    return make_password(PASSWORD)


def _staff(boss: User, role: Role, name: str) -> None:
    user = _customer(role.value, name)
    if user.role != role:
        change_user(actor=boss, user_id=user.pk, role=role)


def _pictures(customers: dict[str, User]) -> None:
    for owner, photo, style, size, prompt in PICTURES:
        user = customers[owner]
        if Generation.objects.filter(user=user, style=style, size=size, prompt=prompt).exists():
            continue
        content = PHOTOS[photo]()
        upload = accept_picture(
            BytesIO(content),
            size=len(content),
            name=f"{photo}.jpg",
            declared_type="image/jpeg",
            owner_id=user.pk,
        )
        generation = start_generation(
            user_id=user.pk, upload_id=upload.pk, style=style, size=size, prompt=prompt
        )
        if photo == "rocket":
            set_favorite(user_id=user.pk, generation_id=generation.pk, is_favorite=True)


def _purchases(customers: dict[str, User]) -> None:
    casey, mira, jonas = customers["customer"], customers["mira"], customers["jonas"]
    if not Address.objects.filter(user=casey).exists():
        add_address(
            user=casey,
            kind="billing",
            name=casey.name,
            line1="1 Market Square",
            city="Dublin",
            postal_code="D02 X285",
            country="IE",
        )
        change_settings(user=casey, default_style="cartoon-style")
    _pay(_buy(casey, "credits-50"))
    _pay(_buy(mira, "credits-200"))
    _pay(_buy(jonas, "credits-50"), card=counter.CARD_DECLINED)
    _dispute(_buy(casey, "credits-200"))
    order = Order.objects.get(customer_id=mira.pk, storefront="plushify")
    felix = user_by_email(f"{Role.FINANCE}@{DOMAIN}")
    if felix and order.paid_at and not order.refunded:
        refund_order(
            order_id=order.pk,
            amount=500,
            reason="Bought more than needed",
            actor_id=felix.pk,
            key="demo:refund",
        )


def _buy(user: User, item: str) -> Started:
    return start_checkout(customer=user, wanted=[Wanted(item)], key=f"demo:{item}")


def _pay(started: Started, card: str = counter.CARD_OK) -> None:
    """Press the pay page's button. The webhook follows by a job; asking the gateway is quicker."""
    if started.payment.status not in {"created", "pending"}:
        return
    counter.pay(started.payment.gateway_ref, payment_method=card)
    look(started.payment.pk)


def _dispute(started: Started) -> None:
    """Pay, and have the bank take it back: a chargeback that waits for an answer."""
    _pay(started)
    payment = Payment.objects.get(pk=started.payment.pk)
    if payment.status == "succeeded" and not payment.chargebacks.exists():
        record = counter.dispute(payment.gateway_ref)
        follow(payment, counter.dispute_ref(record))


def _correction(user: User) -> None:
    alma = user_by_email(f"{Role.ADMIN}@{DOMAIN}")
    acts = AuditEntry.objects.filter(action="credits.correct", subject_id=str(user.pk))
    if alma and not acts.exists():
        correct_credits(actor=alma, user_id=user.pk, amount=5, reason="Sorry for the declined card")
