"""How the console's pages are shown: as a page, in the side panel, or as more rows of a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from django import forms
from django.contrib import messages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django_htmx.http import trigger_client_event

from markethall.foundation.accounts.permissions import GRANTS, Role
from markethall.interfaces.web.console.access import StaffRequest
from markethall.interfaces.web.console.navigation import menu
from markethall.kernel import idempotency
from markethall.kernel.errors import Conflict, Invalid
from markethall.kernel.ids import digest, new_id
from markethall.kernel.pagination import Page

ROWS = 30
T = TypeVar("T")


class Filters(forms.Form):
    """The filters of a list, read from the address. A value that makes no sense is left out."""

    use_required_attribute = False

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        for name, field in self.fields.items():
            field.required = False
            kind = "select" if isinstance(field, forms.ChoiceField) else "input"
            field.widget.attrs.setdefault("class", kind)
            field.widget.attrs["id"] = f"filter-{name}"
        self.is_valid()

    def chosen(self) -> dict[str, Any]:
        """The values given, by field. What a form refuses, such as a NUL, is left out."""
        return {name: self.cleaned_data.get(name) or "" for name in self.fields}

    def is_any(self) -> bool:
        return any(self.chosen().values())


def _day(label: str) -> forms.DateField:
    """A day in reach of the clock; the calendar's own ends cannot be reckoned from."""
    reach = [MinValueValidator(date(1970, 1, 1)), MaxValueValidator(date(9000, 1, 1))]
    return forms.DateField(
        label=label, validators=reach, widget=forms.DateInput(attrs={"type": "date"})
    )


class DayFilters(Filters):
    """Filters with a span of days, in UTC; the last day is included."""

    since = _day("From")
    until = _day("To")

    def span(self) -> dict[str, datetime | None]:
        """``since`` and ``until`` as times, the latter excluded; None where not given."""
        since, until = (self.cleaned_data.get(name) for name in ("since", "until"))
        return {
            "since": datetime.combine(since, time(), UTC) if since else None,
            "until": datetime.combine(until, time(), UTC) + timedelta(days=1) if until else None,
        }


def choices(values: Sequence[str], every: str) -> list[tuple[str, str]]:
    """Choices of a filter, led by one for all."""
    return [("", every), *((value, value.replace("_", " ").lower()) for value in values)]


def is_fragment(request: StaffRequest) -> bool:
    """Whether the answer fills the side panel, or replaces what is shown in it."""
    target = request.headers.get("HX-Target", "")
    return "HX-Request" in request.headers and target.startswith(("panel-body", "detail-"))


def show(
    request: StaffRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """A page, or its fragment for the side panel."""
    fragment = is_fragment(request)
    every = {
        "base": "console/fragment.html" if fragment else "layouts/console.html",
        "in_panel": fragment,
        "console_nav": [] if fragment else menu(request.user, request.path),
        "granted": granted(request),
        "act_key": new_id(),
    }
    return render(request, template, {**every, **context}, status=status)


def granted(request: StaffRequest) -> dict[str, bool]:
    """What the caller may do, by the permission's name with ``_`` for ``.``, for templates."""
    return {permission.replace(".", "_"): True for permission in GRANTS[Role(request.user.role)]}


def show_list(
    request: StaffRequest,
    template: str,
    page: Page[Any],
    context: dict[str, Any],
    *,
    filters: Filters | None = None,
) -> HttpResponse:
    """A list: the whole page, or only the rows that follow when "load more" was pressed.

    The rows stand in the template beside ``template``, named ``…_rows.html``.
    """
    rows = template.replace(".html", "_rows.html")
    following = None
    if page.next_cursor:
        query = request.GET.copy()
        query["cursor"] = page.next_cursor
        following = f"{request.path}?{query.urlencode()}"
    every = {
        "rows": page.items,
        "rows_template": rows,
        "next_url": following,
        "filters": filters,
        "is_filtered": bool(filters and filters.is_any()),
        "list_url": request.get_full_path(),
        "granted": granted(request),
    }
    if "cursor" in request.GET and "HX-Request" in request.headers:
        return render(request, rows, {**every, **context, "is_more": True})
    return show(request, template, {**every, **context})


def cursor_of(request: StaffRequest) -> str | None:
    """Where the page that is asked for begins."""
    return request.GET.get("cursor") or None


def done(
    request: StaffRequest, text: str, *, to: str, again: Callable[[], HttpResponse], level: int = 25
) -> HttpResponse:
    """After an act: say so, and show what has become of it; lists behind the panel reload."""
    messages.add_message(request, level, text)
    if "HX-Request" not in request.headers:
        return HttpResponseRedirect(to)
    return trigger_client_event(again(), "changed", {})  # type: ignore[no-any-return]


class SentTwice(Conflict):
    code, title = "sent_twice", "This was sent twice, and is done once"


def only_once(request: StaffRequest, act: Callable[[], T], *, typed: Any) -> T:
    """What ``act`` returns, something that JSON can hold. It runs in the transaction that keeps
    the key of its form: what was ``typed`` there, sent again, is refused. Raises SentTwice."""
    key = request.POST.get("key", "")[:64]
    if not key:
        return act()
    answer = idempotency.once(
        scope=f"{request.user.pk}:console:{request.path}",
        key=digest(json.dumps([key, typed])),
        request_body=b"",
        act=lambda: idempotency.Answer(200, act()),
    )
    if answer.replayed:
        raise SentTwice("To do the same once more, load the page again.")
    return answer.body  # type: ignore[no-any-return]


def invalid(form: forms.Form) -> Invalid:
    """What is wrong with an act's form, as the problem that htmx shows in a toast."""
    said = [str(message) for errors in form.errors.values() for message in errors]
    return Invalid(" ".join(said))
