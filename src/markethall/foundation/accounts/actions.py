"""Sign-up, verification, passwords, profile. Each counts its tries before its transaction."""

from __future__ import annotations

import uuid

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from markethall.foundation.accounts import limits
from markethall.foundation.accounts.aging import LinkSigner, ResetTokens
from markethall.foundation.accounts.errors import LinkInvalid, SignupsClosed, WrongPassword
from markethall.foundation.accounts.events import EmailVerified, UserRegistered
from markethall.foundation.accounts.models import Token, User
from markethall.foundation.accounts.permissions import Role
from markethall.foundation.accounts.queries import is_verified, user_by_email
from markethall.foundation.audit.actions import record
from markethall.foundation.messaging.actions import send_mail
from markethall.foundation.platform.queries import platform_settings
from markethall.kernel.errors import FieldError, Invalid
from markethall.kernel.events import publish
from markethall.kernel.locking import lock_one
from markethall.kernel.texts import one_line
from markethall.kernel.throttle import forget, uncount_try

VERIFICATION_SALT = "accounts.verify"
VERIFICATION_LASTS = 3 * 24 * 3600
_reset_tokens = ResetTokens()
_verifications = LinkSigner(salt=VERIFICATION_SALT)


def register(*, email: str, password: str, name: str = "") -> User:
    """Open an account and mail the link that verifies its address.

    Of an address that has an account already its owner is told by mail; the caller gets a user
    that is kept nowhere, after the same work, and cannot tell the difference.
    Raises Invalid for a password that is too weak, SignupsClosed, TooManyRequests.
    """
    email = email.strip().lower()
    limits.count_by_address("register")
    if not platform_settings().signups_open:
        raise SignupsClosed
    limits.count_by_account("register", email)
    user = User(email=email, name=one_line(name))
    check_password_strength(password, user)
    user.password = make_password(password)
    if user_by_email(email) is None:
        try:
            with transaction.atomic():
                user.save(force_insert=True)
                address = EmailAddress.objects.create(user=user, email=email, primary=True)
                record("auth.register", actor_id=user.pk, subject_type="user", subject_id=user.pk)
                publish(UserRegistered(user.pk))
                _mail_verification(user, address)
            return user
        except IntegrityError:
            if user_by_email(email) is None:
                raise
    _mail_account_exists(email)
    return user


def check_password_strength(password: str, user: User, path: str = "password") -> None:
    """Raises Invalid, naming the field ``path``, for a password that is too weak."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(
            " ".join(error.messages),
            errors=[FieldError(path, message, "weak_password") for message in error.messages],
        ) from error


def send_verification(user: User) -> None:
    """Mail the verification link once more; beyond the limit, quietly not."""
    if not limits.within("verification_mail", user.pk):
        return
    address = EmailAddress.objects.filter(user=user, email=user.email, verified=False).first()
    if address:
        _mail_verification(user, address)


def request_verification(*, email: str) -> None:
    """Mail the verification link again to whoever has an unverified account of ``email``."""
    limits.count_by_address("verification_mail")
    user = user_by_email(email)
    if user is None:
        limits.within("verification_mail", email)
    else:
        send_verification(user)


def verify_email(*, key: str) -> User:
    """Mark the address of a mailed link as verified. Opening the link twice does no harm.

    Signs nobody in. Raises LinkInvalid, TooManyRequests.
    """
    limits.count_by_address("verify")
    try:
        address_id = _verifications.unsign_object(key, max_age=VERIFICATION_LASTS)
    except signing.BadSignature as error:
        raise LinkInvalid("Ask for a new link: this one is wrong or too old.") from error
    with transaction.atomic():
        address = EmailAddress.objects.filter(pk=address_id).first()
        if address is None:
            raise LinkInvalid("This account is gone.")
        user = lock_one(User.objects.filter(pk=address.user_id))
        mark_verified(user, actor_id=user.pk)
    return user


def mark_verified(user: User, *, actor_id: uuid.UUID | None) -> None:
    """The address is theirs. In the caller's transaction, with the user locked; the second time
    nothing happens."""
    if is_verified(user):
        return
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    tell_verified(user, actor_id=actor_id)


def tell_verified(user: User, *, actor_id: uuid.UUID | None) -> None:
    """What follows when an address is verified: welcome, and the operator's own people get their
    role. In the caller's transaction."""
    record("auth.verify", actor_id=actor_id, subject_type="user", subject_id=user.pk)
    _give_operator_role(user)
    publish(EmailVerified(user.pk))
    send_mail("welcome", to=user.email, user_id=user.pk, context={"user": user})


def request_password_reset(*, email: str) -> None:
    """Mail a link to set a new password, or, to an address without an account, that it has none."""
    email = email.strip().lower()
    limits.count("forgot", email)
    user = user_by_email(email)
    if user is None or not user.is_active:
        send_mail("no_account", to=email)
        return
    with transaction.atomic():
        record("auth.reset_requested", actor_id=None, subject_type="user", subject_id=user.pk)
        _mail_reset(user)


def user_of_reset(token: str) -> User:
    """The person whose mailed reset ``token`` this is; raises LinkInvalid."""
    user_part, _, secret = token.partition("-")
    try:
        user = User.objects.filter(pk=uuid.UUID(hex=user_part), is_active=True).first()
    except ValueError:
        user = None
    if user is None or not _reset_tokens.check_token(user, secret):
        raise LinkInvalid("Ask for a new link: this one is wrong, used or too old.")
    return user


def reset_password(*, token: str, password: str) -> User:
    """Set a new password by the mailed token. It proves the address as well, and ends every
    session and token. Raises LinkInvalid, Invalid, TooManyRequests."""
    limits.count_by_address("reset")
    user = user_of_reset(token)
    limits.count_by_account("reset", user.pk)
    check_password_strength(password, user)
    encoded = make_password(password)
    with transaction.atomic():
        user = lock_one(User.objects.filter(pk=user.pk))
        user_of_reset(token)
        mark_verified(user, actor_id=user.pk)
        _set_password(user, encoded, "auth.password_reset")
    forget(limits.bucket("login", user.email))
    return user


def change_password(*, user: User, present: str, password: str) -> User:
    """Replace the password; other sessions and all tokens end with the old one.

    Someone without a password (who came by OAuth) sets the first one by a reset.
    Raises WrongPassword, Invalid, TooManyRequests.
    """
    confirm_password(user=user, password=present, path="currentPassword")
    check_password_strength(password, user, "newPassword")
    encoded = make_password(password)
    with transaction.atomic():
        user = lock_one(User.objects.filter(pk=user.pk))
        _set_password(user, encoded, "auth.password_change")
    return user


def confirm_password(*, user: User, password: str, path: str = "password") -> None:
    """Raises WrongPassword unless ``password`` is the user's; wrong ones are counted."""
    bucket = limits.count("password", user.pk)
    if not user.check_password(password):
        raise WrongPassword(errors=[FieldError(path, "This is not your password.", "wrong")])
    uncount_try(bucket)


def update_profile(*, user: User, name: str | None = None, phone: str | None = None) -> User:
    """Change what is given of one's own profile."""
    with transaction.atomic():
        user = lock_one(User.objects.filter(pk=user.pk))
        if name is not None:
            user.name = one_line(name)
        if phone is not None:
            user.phone = one_line(phone)
        user.save(update_fields=["name", "phone"])
        record("user.profile_change", actor_id=user.pk, subject_type="user", subject_id=user.pk)
    return user


def verification_link(address: EmailAddress) -> str:
    """The page that verifies ``address`` when it is opened."""
    return f"{settings.SITE_URL}/verify-email/{_verifications.sign_object(address.pk)}"


def reset_link(user: User) -> str:
    """The page on which ``user`` sets a new password; good once, and for an hour."""
    return f"{settings.SITE_URL}/reset-password/{user.pk.hex}-{_reset_tokens.make_token(user)}"


def _set_password(user: User, encoded: str, act: str) -> None:
    user.password = encoded
    user.save(update_fields=["password"])
    Token.objects.filter(user=user).delete()
    record(act, actor_id=user.pk, subject_type="user", subject_id=user.pk)
    send_mail("password_changed", to=user.email, user_id=user.pk, context={"user": user})


def _give_operator_role(user: User) -> None:
    """An address in ``ADMIN_EMAILS`` becomes admin, the first one super admin."""
    if user.email not in settings.ADMIN_EMAILS:
        return
    role = Role.SUPER_ADMIN if user.email == settings.ADMIN_EMAILS[0] else Role.ADMIN
    record(
        "user.role_change",
        actor_id=None,
        subject_type="user",
        subject_id=user.pk,
        before=user.role,
        after=role.value,
        because="ADMIN_EMAILS",
    )
    user.role = role
    user.save(update_fields=["role"])


def _mail_verification(user: User, address: EmailAddress) -> None:
    link = verification_link(address)
    _mail_link("verify_email", user, link)


def _mail_account_exists(email: str) -> None:
    user = user_by_email(email)
    if user is None or not user.is_active:
        return
    with transaction.atomic():
        record("auth.register_again", actor_id=None, subject_type="user", subject_id=user.pk)
        _mail_link("account_exists", user, reset_link(user))


def _mail_reset(user: User) -> None:
    _mail_link("reset_password", user, reset_link(user))


def _mail_link(template: str, user: User, link: str) -> None:
    """Mail ``user`` a link that proves who opens it, and that nobody else may read."""
    send_mail(
        template,
        to=user.email,
        user_id=user.pk,
        context={"user": user, "link": link},
        secrets=[link.rpartition("/")[2]],
    )
