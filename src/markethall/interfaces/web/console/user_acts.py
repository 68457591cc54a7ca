"""What staff does to a person's account and credits."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from markethall.flows.credit_correction import MAX_CORRECTION, correct_credits
from markethall.flows.erasure import erase_account
from markethall.foundation.accounts.actions import request_password_reset, send_verification
from markethall.foundation.accounts.models import User
from markethall.foundation.accounts.permissions import Permission, Role
from markethall.foundation.accounts.staff import change_user, check_reach, person
from markethall.foundation.audit.actions import record
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import done, invalid
from markethall.interfaces.web.console.users import show_user
from markethall.kernel import idempotency
from markethall.kernel.errors import Invalid


class CreditForm(forms.Form):
    direction = forms.ChoiceField(choices=[("add", "Add"), ("remove", "Remove")])
    amount = forms.IntegerField(min_value=1, max_value=MAX_CORRECTION)
    reason = forms.CharField(
        max_length=500, error_messages={"required": "Say why: it stands in the person's history."}
    )
    key = forms.CharField(max_length=64, required=False)


@require_POST
@staff(Permission.CREDITS_WRITE)
def credits(request: StaffRequest, user_id: uuid.UUID) -> HttpResponse:
    """Add or remove credits; the form's key makes a double click book once."""
    form = CreditForm(request.POST)
    if not form.is_valid():
        raise invalid(form)
    given = form.cleaned_data
    amount = given["amount"] if given["direction"] == "add" else -given["amount"]

    def act() -> idempotency.Answer:
        balance = correct_credits(
            actor=request.user, user_id=user_id, amount=amount, reason=given["reason"]
        )
        return idempotency.Answer(200, {"balance": balance})

    answer = idempotency.once(
        scope=f"{request.user.pk}:{request.path}",
        key=given["key"] or None,
        request_body=f"{amount}:{given['reason']}".encode(),
        act=act,
    )
    balance = answer.body["balance"]
    if answer.replayed:
        return _done(request, user_id, "That had been booked already.", level=20)
    verb = "added" if amount > 0 else "removed"
    number = f"{abs(amount):,} credit{'' if abs(amount) == 1 else 's'}"
    return _done(request, user_id, f"{number} {verb}. The balance is {balance:,}.")


@require_POST
@staff(Permission.USERS_WRITE)
def suspend(request: StaffRequest, user_id: uuid.UUID) -> HttpResponse:
    user = change_user(actor=request.user, user_id=user_id, is_active=False)
    return _done(request, user_id, f"{user.email} is suspended.")


@require_POST
@staff(Permission.USERS_WRITE)
def reactivate(request: StaffRequest, user_id: uuid.UUID) -> HttpResponse:
    user = change_user(actor=request.user, user_id=user_id, is_active=True)
    return _done(request, user_id, f"{user.email} may sign in again.")


@require_POST
@staff(Permission.ROLES_WRITE)
def role(request: StaffRequest, user_id: uuid.UUID) -> HttpResponse:
    wanted = request.POST.get("role", "")
    if wanted not in list(Role):
        raise Invalid.field("role", "There is no such role.")
    user = change_user(actor=request.user, user_id=user_id, role=Role(wanted))
    return _done(request, user_id, f"{user.email} is {wanted.replace('_', ' ')} now.")


@require_POST
@staff(Permission.USERS_WRITE)
def password_reset(request: StaffRequest, user_id: uuid.UUID) -> HttpResponse:
    user = _in_reach(request, user_id)
    request_password_reset(email=user.email)
    record("user.send_reset", actor_id=request.user.pk, subject_type="user", subject_id=user.pk)
    return _done(request, user_id, f"The link to a new password goes to {user.email}.")


@require_POST
@staff(Permission.USERS_WRITE)
def verification(request: StaffRequest, user_id: uuid.UUID) -> HttpResponse:
    user = _in_reach(request, user_id)
    send_verification(user)
    record(
        "user.send_verification",
        actor_id=request.user.pk,
        subject_type="user",
        subject_id=user.pk,
    )
    return _done(request, user_id, f"The verification link goes to {user.email}.")


@require_POST
@staff(Permission.USERS_WRITE)
def erase(request: StaffRequest, user_id: uuid.UUID) -> HttpResponse:
    user = person(user_id)
    typed = request.POST.get("email", "").strip().lower()
    if typed != user.email:
        sent = {"erase": f"Type {user.email} to erase this person."}
        return show_user(request, user_id, sent, status=422)
    erase_account(user_id=user_id, actor=request.user)
    return _done(request, user_id, "The person is erased. The books are as they were.")


def _in_reach(request: StaffRequest, user_id: uuid.UUID) -> User:
    user = person(user_id)
    check_reach(actor=request.user, user=user)
    return user


def _done(request: StaffRequest, user_id: uuid.UUID, text: str, **more: Any) -> HttpResponse:
    return done(
        request,
        text,
        to=f"/console/users/{user_id}",
        again=lambda: show_user(request, user_id),
        **more,
    )
