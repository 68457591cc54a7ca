"""The shop window: home, collections, and the pages that only say something."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A large picture, the collections, a few pieces."""
    return render(request, "elysium/home.html", {})


@require_safe
def size_guide(request: HttpRequest) -> HttpResponse:
    """How to measure a finger."""
    return render(request, "elysium/size_guide.html")


@require_safe
def delivery(request: HttpRequest) -> HttpResponse:
    """How pieces travel, there and back."""
    return render(request, "elysium/delivery.html")
