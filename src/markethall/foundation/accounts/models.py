from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from markethall.foundation.accounts.permissions import Role
from markethall.kernel import clock
from markethall.kernel.ids import new_id


class UserManager(BaseUserManager["User"]):
    """Creates users; the address is kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an account. An erased one keeps its row, for the books, and nothing else."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(
        max_length=16, choices=[(role.value, role.value) for role in Role], default=Role.CUSTOMER
    )
    phone = models.CharField(max_length=32, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=clock.now)
    erased_at = models.DateTimeField(null=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (models.UniqueConstraint(Lower("email"), name="accounts_email_any_case"),)
        indexes = (
            models.Index(fields=["role", "-id"], name="accounts_role"),
            models.Index(
                fields=["-id"], condition=models.Q(is_active=False), name="accounts_suspended"
            ),
            models.Index(
                fields=["-id"], condition=models.Q(erased_at__isnull=False), name="accounts_erased"
            ),
        )

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email.split("@")[0]


class UserSettings(models.Model):
    """What a person chose for themselves."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="preferences")
    default_style = models.CharField(max_length=32, default="cute-fluffy")
    email_notifications = models.BooleanField(default=True)
    marketing_emails = models.BooleanField(default=False)


class Address(models.Model):
    """A billing or shipping address."""

    class Kind(models.TextChoices):
        BILLING = "billing"
        SHIPPING = "shipping"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="addresses")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=150)
    company = models.CharField(max_length=150, blank=True)
    line1 = models.CharField(max_length=200)
    line2 = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20)
    country = models.CharField(max_length=2)
    phone = models.CharField(max_length=32, blank=True)
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "kind"],
                condition=models.Q(is_default=True),
                name="accounts_one_default_address",
            ),
        )


class Token(models.Model):
    """A bearer token: of one sign-in, or a personal API key. The secret is kept as a digest."""

    class Kind(models.TextChoices):
        SESSION = "session"
        API_KEY = "api_key"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=100, blank=True)
    hint = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    password_mark = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
