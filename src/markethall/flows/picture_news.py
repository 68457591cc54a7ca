"""What people hear by mail about their pictures, if they want to."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings

from markethall.content.imaging.events import GenerationCompleted, GenerationFailed
from markethall.content.imaging.models import Generation
from markethall.flows.brands import brand_of
from markethall.foundation.accounts.models import User
from markethall.foundation.messaging.actions import send_mail

# Whoever waits no longer than this still looks at the page.
WORTH_A_MAIL_AFTER = timedelta(minutes=1)


def mail_failed(event: GenerationFailed) -> None:
    """No picture, and the credit is back."""
    _mail("picture_failed", event.generation_id, event.user_id)


def mail_ready(event: GenerationCompleted) -> None:
    """The picture is ready, when that took long."""
    picture = Generation.objects.get(pk=event.generation_id)
    if picture.finished_at and picture.finished_at - picture.created_at > WORTH_A_MAIL_AFTER:
        _mail("picture_ready", event.generation_id, event.user_id)


def _mail(template: str, generation_id: uuid.UUID, user_id: uuid.UUID) -> None:
    user = User.objects.select_related("preferences").get(pk=user_id)
    preferences = getattr(user, "preferences", None)
    if not user.is_active or (preferences and not preferences.email_notifications):
        return
    picture = Generation.objects.get(pk=generation_id)
    send_mail(
        template,
        to=user.email,
        user_id=user_id,
        context=picture_values(user, picture),
        brand=brand_of("plushify"),
    )


def picture_values(user: User, picture: Generation) -> dict[str, Any]:
    """What the mails about a picture tell."""
    return {
        "user": user,
        "picture": picture,
        "style": picture.get_style_display(),
        "link": f"{settings.SITE_URL}/plushify/gallery",
    }
