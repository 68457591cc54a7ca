"""Roles and what they may do: the one place. Pages and API ask ``may(user, permission)``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from markethall.kernel.errors import Forbidden

if TYPE_CHECKING:
    from markethall.foundation.accounts.models import User


class Role(StrEnum):
    """A person has one role. Everyone signed in is a customer too."""

    CUSTOMER = "customer"
    VENDOR = "vendor"
    LOGISTICS = "logistics"
    FINANCE = "finance"
    ADMIN = "admin"
    SUPER_ADMIN = "super_admin"


class Permission(StrEnum):
    """What staff may do, beyond everyone's rights to what is their own."""

    CONSOLE = "console"
    USERS_READ = "users.read"
    USERS_WRITE = "users.write"
    ROLES_WRITE = "roles.write"
    CREDITS_WRITE = "credits.write"
    ORDERS_READ = "orders.read"
    ORDERS_WRITE = "orders.write"
    ORDERS_SHIP = "orders.ship"
    SHIPPING_WRITE = "shipping.write"
    VOUCHERS_WRITE = "vouchers.write"
    PAYMENTS_READ = "payments.read"
    PAYMENTS_REFUND = "payments.refund"
    WEBHOOKS_READ = "webhooks.read"
    WEBHOOKS_REPLAY = "webhooks.replay"
    JOBS_READ = "jobs.read"
    JOBS_RETRY = "jobs.retry"
    MAIL_READ = "mail.read"
    MAIL_SEND = "mail.send"
    IMAGES_READ = "images.read"
    CATALOG_WRITE = "catalog.write"
    LEADS_READ = "leads.read"
    LEADS_WRITE = "leads.write"
    STOCK_READ = "stock.read"
    STOCK_WRITE = "stock.write"
    AUDIT_READ = "audit.read"
    SETTINGS_READ = "settings.read"
    SETTINGS_WRITE = "settings.write"


_LOGISTICS = frozenset(
    {
        Permission.CONSOLE,
        Permission.ORDERS_READ,
        Permission.ORDERS_SHIP,
        Permission.STOCK_READ,
        Permission.STOCK_WRITE,
    }
)
_FINANCE = frozenset(
    {
        Permission.CONSOLE,
        Permission.ORDERS_READ,
        Permission.PAYMENTS_READ,
        Permission.PAYMENTS_REFUND,
        Permission.WEBHOOKS_READ,
    }
)
_ADMIN = frozenset(Permission) - {Permission.ROLES_WRITE}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.CUSTOMER: frozenset(),
    Role.VENDOR: frozenset(),
    Role.LOGISTICS: _LOGISTICS,
    Role.FINANCE: _FINANCE,
    Role.ADMIN: _ADMIN,
    Role.SUPER_ADMIN: frozenset(Permission),
}


def may(user: User, permission: Permission) -> bool:
    """Whether ``user`` may do what ``permission`` names."""
    return permission in GRANTS[Role(user.role)]


def require(user: User, permission: Permission) -> None:
    """Raises Forbidden unless ``user`` may."""
    if not may(user, permission):
        raise Forbidden(f"This needs the permission {permission}.")
