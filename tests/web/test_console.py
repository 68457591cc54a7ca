"""The console: who may see what, what staff does, and what is written down of it."""

from __future__ import annotations

import pytest
from django.test import Client

from house.people import make_user, page_client
from markethall.foundation.accounts.permissions import GRANTS, Permission, Role
from markethall.interfaces.web.console import urls

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

# Each list page and the permission that opens it.
PAGES = {
    "/console": Permission.CONSOLE,
    "/console/todo": Permission.CONSOLE,
    "/console/figures": Permission.CONSOLE,
    "/console/search": Permission.CONSOLE,
    "/console/books": Permission.PAYMENTS_READ,
    "/console/users": Permission.USERS_READ,
    "/console/orders": Permission.ORDERS_READ,
    "/console/pictures": Permission.IMAGES_READ,
    "/console/pictures/figures": Permission.IMAGES_READ,
    "/console/payments": Permission.PAYMENTS_READ,
    "/console/refunds": Permission.PAYMENTS_READ,
    "/console/ledger": Permission.PAYMENTS_READ,
    "/console/ledger/totals": Permission.PAYMENTS_READ,
    "/console/ledger/accounts": Permission.PAYMENTS_READ,
    "/console/inbox": Permission.WEBHOOKS_READ,
    "/console/jobs": Permission.JOBS_READ,
    "/console/jobs/machinery": Permission.JOBS_READ,
    "/console/mails": Permission.MAIL_READ,
    "/console/audit": Permission.AUDIT_READ,
}


def test_every_view_names_its_permission() -> None:
    nameless = [str(p.pattern) for p in urls.urlpatterns if not hasattr(p.callback, "permission")]
    assert nameless == []


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_the_pages_it_was_given_and_no_other(role: Role) -> None:
    browser = page_client(make_user(role=role))
    is_staff = Permission.CONSOLE in GRANTS[role]
    expected = {
        page: 200 if permission in GRANTS[role] else 403 if is_staff else 404
        for page, permission in PAGES.items()
    }
    assert {page: browser.get(page).status_code for page in PAGES} == expected


def test_the_signed_out_are_sent_to_sign_in_and_back(client: Client) -> None:
    for page in PAGES:
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/login?next=%2Fconsole")
