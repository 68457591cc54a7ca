"""The console's menu: what somebody may open, with the keys that open it."""

from __future__ import annotations

from typing import Any

from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Permission, may

# Heading, then (address, label, icon, key after g, permission).
_MENU: tuple[tuple[str, tuple[tuple[str, str, str, str, Permission], ...]], ...] = (
    ("", (("/console", "Today", "layout-dashboard", "t", Permission.CONSOLE),)),
    (
        "People and orders",
        (
            ("/console/users", "Users & credits", "users", "u", Permission.USERS_READ),
            ("/console/orders", "Orders", "receipt", "o", Permission.ORDERS_READ),
            ("/console/products", "Products", "shopping-bag", "c", Permission.CATALOG_WRITE),
            ("/console/reviews", "Reviews", "star", "w", Permission.CATALOG_WRITE),
            ("/console/stock", "Stock", "package", "k", Permission.STOCK_READ),
            ("/console/leads", "Bespoke", "gem", "b", Permission.LEADS_READ),
            ("/console/vouchers", "Vouchers", "tag", "v", Permission.VOUCHERS_WRITE),
            ("/console/shipping", "Shipping & taxes", "truck", "h", Permission.SHIPPING_WRITE),
            ("/console/pictures", "Pictures", "image", "p", Permission.IMAGES_READ),
        ),
    ),
    (
        "Money",
        (
            ("/console/sales", "Sales", "chart-line", "x", Permission.PAYMENTS_READ),
            ("/console/payments", "Payments", "credit-card", "$", Permission.PAYMENTS_READ),
            ("/console/ledger", "Ledger", "scale", "l", Permission.PAYMENTS_READ),
            ("/console/reconcile", "Reconcile", "refresh-cw", "r", Permission.PAYMENTS_READ),
        ),
    ),
    (
        "Machinery",
        (
            ("/console/inbox", "Webhook inbox", "inbox", "i", Permission.WEBHOOKS_READ),
            ("/console/jobs", "Jobs", "activity", "j", Permission.JOBS_READ),
            ("/console/storage", "Storage", "archive", "d", Permission.JOBS_READ),
            ("/console/mails", "Mails", "mail", "m", Permission.MAIL_READ),
            (
                "/console/image-providers",
                "Image providers",
                "sparkles",
                "y",
                Permission.IMAGES_READ,
            ),
            ("/console/audit", "Audit log", "history", "a", Permission.AUDIT_READ),
            ("/console/settings", "Settings", "settings", "s", Permission.SETTINGS_READ),
        ),
    ),
)


def menu(user: User, path: str) -> list[dict[str, Any]]:
    """The groups of links that ``user`` may open; the one that leads to ``path`` is current."""
    groups = []
    for heading, links in _MENU:
        allowed = [
            {
                "url": url,
                "label": label,
                "icon": icon,
                "keys": f"g {key}",
                "current": _is_current(url, path),
            }
            for url, label, icon, key, permission in links
            if may(user, permission)
        ]
        if allowed:
            groups.append({"heading": heading, "links": allowed})
    return groups


def _is_current(url: str, path: str) -> bool:
    return path == url or (url != "/console" and path.startswith(f"{url}/"))
