"""How django-allauth meets Markethall: its mails, its addresses, its new users."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthError
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from markethall.foundation.accounts import by_provider, sign_in
from markethall.foundation.accounts.actions import send_verification
from markethall.foundation.accounts.models import User
from markethall.foundation.platform.queries import platform_settings

# The page that says why a sign-in by a provider came to nothing.
REFUSED = "/oauth/refused"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Mails and records are ours; allauth's own messages are not shown."""

    def send_confirmation_mail(self, request: HttpRequest, confirmation: Any, signup: bool) -> None:
        send_verification(confirmation.email_address.user)

    def post_login(self, request: HttpRequest, user: User, **hook: Any) -> HttpResponse:
        sign_in.record_sign_in(user)
        response: HttpResponse = super().post_login(request, user, **hook)
        return response

    def add_message(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Pages say what has happened in their own words."""


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """A provider's word counts for an address only if the provider has verified it."""

    def pre_social_login(self, request: HttpRequest, login: Any) -> None:
        """Refuse a new person without a verified address; keep one address of the others.

        An account here that was never verified is cleared of what its opener left in it, before
        it is joined to the person whose address it is.
        """
        if login.state.get("process") == "connect":
            if login.is_existing and login.user != request.user:
                raise ImmediateHttpResponse(HttpResponseRedirect(f"{REFUSED}?why=taken"))
            return
        if not login.is_existing:
            if not platform_settings().signups_open:
                raise ImmediateHttpResponse(HttpResponseRedirect(f"{REFUSED}?why=closed"))
            address = by_provider.best_address(login.email_addresses)
            if address is None:
                raise ImmediateHttpResponse(HttpResponseRedirect(f"{REFUSED}?why=unverified"))
            login.email_addresses = [address]
            login.user.email = address.email = address.email.lower()
        elif login._did_authenticate_by_email:
            login.user = by_provider.claim(user=login.user, name=login.provided_name)

    def populate_user(self, request: HttpRequest, login: Any, data: dict[str, Any]) -> User:
        for address in login.email_addresses:
            # Some providers send the word "false".
            address.verified = address.verified is True
        user: User = login.user
        login.provided_name = by_provider.clean_name(data)
        user.email = (data.get("email") or "").lower()
        user.name = login.provided_name
        return user

    def save_user(self, request: HttpRequest, login: Any, form: Any = None) -> User:
        login.user.set_unusable_password()
        try:
            return by_provider.register(
                login.user, login.account.provider, lambda: login.save(request)
            )
        except IntegrityError as error:
            raise ImmediateHttpResponse(HttpResponseRedirect(f"{REFUSED}?why=again")) from error

    def send_notification_mail(self, template: str, user: User, context: dict[str, Any]) -> None:
        if template == "socialaccount/email/account_connected":
            by_provider.tell_linked(user, str(context["provider"].name))

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, *, error: Any = None, **details: Any
    ) -> None:
        why = "cancelled" if error == AuthError.CANCELLED else "failed"
        raise ImmediateHttpResponse(HttpResponseRedirect(f"{REFUSED}?why={why}"))

    def get_connect_redirect_url(self, request: HttpRequest, account: Any) -> str:
        return str(settings.LOGIN_REDIRECT_URL)


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of the second factor are encrypted at rest, with a key of ``SECRET_KEY``."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> Fernet:
    key = hashlib.sha256(b"second factor:" + str(settings.SECRET_KEY).encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
