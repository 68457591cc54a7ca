"""The demo people of the sandbox, and signing in as one of them by a click."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Role
from markethall.kernel.errors import NotFound

_DOMAIN = "demo.markethall.test"
_ROLES = {
    Role.CUSTOMER: ("Customer", "Makes plush pictures, buys credits.", "/plushify"),
    Role.ADMIN: ("Admin", "Finds people, corrects credits, reads the audit log.", "/console"),
    Role.SUPER_ADMIN: ("Super admin", "The same, and gives others their role.", "/console"),
    Role.FINANCE: ("Finance", "Sees payments and pays back.", "/console"),
    Role.LOGISTICS: ("Logistics", "Sees orders.", "/console"),
    Role.VENDOR: ("Vendor", "Will sell in the market, once it opens.", "/plushify"),
}


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """One demo person, what they are for, and where they begin."""

    user: User
    label: str
    text: str
    start: str


def demo_logins() -> list[DemoLogin]:
    """The demo people that the demo data has made; nobody outside the sandbox."""
    if not settings.SANDBOX:
        return []
    emails = {f"{role.value}@{_DOMAIN}": role for role in _ROLES}
    found = {user.email: user for user in User.objects.filter(email__in=emails, is_active=True)}
    return [
        DemoLogin(found[email], *_ROLES[role]) for email, role in emails.items() if email in found
    ]


def demo_login(role: str) -> DemoLogin:
    """The demo person of a role; raises NotFound when there is none, as outside the sandbox."""
    for login in demo_logins():
        if login.user.role == role:
            return login
    raise NotFound("There is no such demo login here.")
