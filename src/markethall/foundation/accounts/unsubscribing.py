"""Ending a kind of mail by the link that stands in it, without signing in."""

from __future__ import annotations

from django.db import transaction

from markethall.foundation.accounts.belongings import change_settings
from markethall.foundation.accounts.errors import LinkInvalid
from markethall.foundation.accounts.models import User
from markethall.foundation.audit.actions import record
from markethall.foundation.messaging.rules import Kind
from markethall.foundation.messaging.unsubscribing import Wish, read_wish

# The setting that each kind hangs on.
_SETTING = {Kind.NOTICE: "email_notifications", Kind.MARKETING: "marketing_emails"}


def wish_of(token: str) -> Wish:
    """Whose mails of which kind a link ends. Raises LinkInvalid for one that we did not make, and
    for somebody who is gone."""
    wish = read_wish(token)
    if wish is None or not User.objects.filter(pk=wish.user_id, erased_at=None).exists():
        raise LinkInvalid("Open the link as it stands in the mail.")
    return wish


def follow(wish: Wish, *, wanted: bool) -> None:
    """Send the person mails of this kind no more, or again. Twice does no harm."""
    with transaction.atomic():
        user = User.objects.get(pk=wish.user_id)
        change_settings(user=user, **{_SETTING[wish.kind]: wanted})
        record(
            "user.resubscribe" if wanted else "user.unsubscribe",
            actor_id=user.pk,
            subject_type="user",
            subject_id=user.pk,
            kind=wish.kind.value,
        )
