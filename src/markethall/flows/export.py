"""Everything that Markethall keeps about a person, for that person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount

from markethall.content.imaging.models import Generation
from markethall.foundation.accounts.belongings import settings_of
from markethall.foundation.accounts.models import Address, Token, User
from markethall.foundation.audit.models import AuditEntry
from markethall.foundation.files.links import signed_link
from markethall.foundation.files.models import StoredFile
from markethall.foundation.ledger.queries import balance_of, entry_status, history_of
from markethall.foundation.messaging.models import Mail
from markethall.foundation.payments.models import Payment
from markethall.insight.analytics.models import Glance
from markethall.insight.analytics.rules import viewer_of
from markethall.kernel import clock
from markethall.trade.cart.models import CartLine
from markethall.trade.catalog.models import Review
from markethall.trade.leads.models import Lead
from markethall.trade.orders.models import Order
from markethall.trade.shipping.models import Shipment
from markethall.trade.vouchers.models import VoucherUse
from markethall.trade.wishlist.models import WishlistItem


def export_of(user: User) -> dict[str, Any]:
    """All data of ``user``, as plain values; files as links that work for an hour."""
    balance = balance_of(user.pk)
    return {
        "exportedAt": clock.now(),
        "profile": _profile(user),
        "settings": _settings(user),
        "addresses": list(Address.objects.filter(user=user).values()),
        "apiKeys": list(
            Token.objects.filter(user=user).values(
                "id", "kind", "name", "hint", "created_at", "expires_at", "last_used_at"
            )
        ),
        "signInProviders": list(
            SocialAccount.objects.filter(user=user).values("provider", "uid", "extra_data")
        ),
        "credits": {
            "balance": balance.balance,
            "held": balance.held,
            "history": _credit_history(user),
        },
        "cart": _cart(user),
        "vouchers": list(
            VoucherUse.objects.filter(customer_id=user.pk)
            .order_by("pk")
            .values("voucher__code", "reference", "at")
        ),
        "orders": _orders(user),
        "payments": _payments(user),
        "reviews": list(
            Review.objects.filter(user=user)
            .order_by("pk")
            .values("product__name", "rating", "title", "text", "is_hidden", "created_at")
        ),
        "pictures": _pictures(user),
        "files": _files(user),
        "bespoke": _bespoke(user),
        "wishlist": list(
            WishlistItem.objects.filter(user=user)
            .order_by("pk")
            .values("product__slug", "configuration", "added_at")
        ),
        "viewed": list(
            Glance.objects.filter(viewer=viewer_of(user.pk, None))
            .order_by("pk")
            .values("product__slug", "at")
        ),
        "mails": list(
            Mail.objects.filter(user_id=user.pk)
            .order_by("pk")
            .values("id", "to", "subject", "text", "status", "created_at", "sent_at")
        ),
        "acts": list(
            AuditEntry.objects.filter(actor_id=user.pk)
            .order_by("pk")
            .values("at", "action", "subject_type", "subject_id", "data", "ip_address")
        ),
    }


def _profile(user: User) -> dict[str, Any]:
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.name,
        "phone": user.phone,
        "role": user.role,
        "createdAt": user.created_at,
        "lastLogin": user.last_login,
        "emailAddresses": list(
            EmailAddress.objects.filter(user=user).values("email", "verified", "primary")
        ),
    }


def _settings(user: User) -> dict[str, Any]:
    settings = settings_of(user.pk)
    return {
        "defaultStyle": settings.default_style,
        "emailNotifications": settings.email_notifications,
        "marketingEmails": settings.marketing_emails,
    }


def _credit_history(user: User) -> list[dict[str, Any]]:
    return [
        {
            "id": str(entry.pk),
            "type": entry.transaction.kind,
            "status": entry_status(entry),
            "amount": entry.amount,
            "balance": entry.balance_after,
            "metadata": entry.transaction.metadata,
            "createdAt": entry.transaction.posted_at,
        }
        for entry in history_of(user.pk).order_by("id")
    ]


def _cart(user: User) -> list[dict[str, Any]]:
    lines = CartLine.objects.filter(cart__user=user).select_related("cart", "variant__product")
    return [
        {
            "storefront": line.cart.storefront,
            "product": line.variant.product.name,
            "sku": line.variant.sku,
            "configuration": line.configuration,
            "quantity": line.quantity,
            "addedAt": line.added_at,
        }
        for line in lines.order_by("added_at", "pk")
    ]


def _orders(user: User) -> list[dict[str, Any]]:
    found = Order.objects.filter(customer_id=user.pk).order_by("pk").prefetch_related("lines")
    orders = list(found)
    parcels: dict[UUID, list[dict[str, Any]]] = {order.pk: [] for order in orders}
    for parcel in Shipment.objects.filter(reference__in=parcels).order_by("pk"):
        parcels[parcel.reference].append(
            {
                "status": parcel.status,
                "carrier": parcel.carrier,
                "trackingNumber": parcel.tracking_number,
                "shippedAt": parcel.shipped_at,
                "deliveredAt": parcel.delivered_at,
            }
        )
    return [
        {
            "id": order.pk,
            "number": order.number,
            "status": order.status,
            "total": {"amount": order.total, "currency": order.currency},
            "refunded": {"amount": order.refunded, "currency": order.currency},
            "createdAt": order.created_at,
            "paidAt": order.paid_at,
            "shippingMethod": order.shipping_method,
            "shippingAddress": order.shipping_address,
            "billingAddress": order.billing_address,
            "voucher": order.voucher,
            "note": order.customer_note,
            "lines": [
                {
                    "name": line.name,
                    "quantity": line.quantity,
                    "total": line.total,
                    "chosen": line.data.get("shown", []),
                }
                for line in order.lines.all()
            ],
            "parcels": parcels[order.pk],
        }
        for order in orders
    ]


def _payments(user: User) -> list[dict[str, Any]]:
    return [
        {
            "id": payment.pk,
            "orderId": payment.reference,
            "gateway": payment.gateway,
            "status": payment.status,
            "amount": {"amount": payment.amount, "currency": payment.currency},
            "refunded": {"amount": payment.refunded, "currency": payment.currency},
            "createdAt": payment.created_at,
            "succeededAt": payment.succeeded_at,
        }
        for payment in Payment.objects.filter(payer_id=user.pk).order_by("pk")
    ]


def _pictures(user: User) -> list[dict[str, Any]]:
    pictures = Generation.objects.filter(user_id=user.pk)
    return [
        {
            "id": picture.pk,
            "style": picture.style,
            "size": picture.size,
            "prompt": picture.prompt,
            "status": picture.status,
            "isFavorite": picture.is_favorite,
            "createdAt": picture.created_at,
            "originalUrl": signed_link(picture.original_id),
            "generatedUrl": signed_link(picture.result_id) if picture.result_id else None,
        }
        for picture in pictures.order_by("pk")
    ]


def _bespoke(user: User) -> list[dict[str, Any]]:
    leads = Lead.objects.filter(customer_id=user.pk) | Lead.objects.filter(email=user.email)
    return [
        {
            "number": lead.number,
            "name": lead.name,
            "email": lead.email,
            "phone": lead.phone,
            "budget": lead.budget,
            "currency": lead.currency,
            "wantedBy": lead.wanted_by,
            "notes": lead.notes,
            "status": lead.status,
            "createdAt": lead.created_at,
            "pictures": [signed_link(picture.file_id) for picture in lead.pictures.all()],
            "messages": [
                {"from": "us" if each.author_id else "you", "body": each.body, "at": each.at}
                for each in lead.messages.filter(is_internal=False).order_by("pk")
            ],
        }
        for lead in leads.order_by("pk").distinct()
    ]


def _files(user: User) -> list[dict[str, Any]]:
    return [
        {
            "id": file.pk,
            "purpose": file.purpose,
            "contentType": file.content_type,
            "size": file.size,
            "createdAt": file.created_at,
            "url": signed_link(file.pk),
        }
        for file in StoredFile.objects.filter(owner_id=user.pk).order_by("pk")
    ]
