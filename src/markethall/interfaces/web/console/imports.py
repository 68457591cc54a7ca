"""Imports of products: a file is taken in, a job reads it, and its page says how far it is."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from markethall.flows import imports as flow
from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import show
from markethall.interfaces.web.console.product_form import scalar
from markethall.kernel.errors import Invalid, NotFound
from markethall.trade.catalog.errors import ImportMissing
from markethall.trade.catalog.importing.export import csv_lines, ndjson_lines
from markethall.trade.catalog.models import ImportRun
from markethall.trade.catalog.storefronts import goods_storefronts

_SHOWN = 20
_KINDS = {"csv": (csv_lines, "text/csv"), "ndjson": (ndjson_lines, "application/x-ndjson")}


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Permission.CATALOG_WRITE)
def index(request: StaffRequest) -> HttpResponse:
    if request.method == "POST":
        file = request.FILES.get("file")
        if file is None:
            raise Invalid.field("file", "Choose a file first.")
        run = flow.take_in(
            file=file.file,
            size=file.size or 0,
            name=file.name or "",
            storefront=scalar(request.POST, "storefront"),
            is_dry="dry" in request.POST,
            actor_id=request.user.pk,
        )
        return HttpResponseRedirect(f"/console/products/import/{run.pk}")
    context = {
        "title": "Import products",
        "storefronts": goods_storefronts(),
        "runs": ImportRun.objects.order_by("-pk")[:_SHOWN],
        "max_mb": min(flow.MAX_BYTES, settings.MAX_FILES_BYTES) // 1024 // 1024,
    }
    return show(request, "console/imports.html", context)


@require_safe
@staff(Permission.CATALOG_WRITE)
def run(request: StaffRequest, run_id: uuid.UUID) -> HttpResponse:
    found = ImportRun.objects.filter(pk=run_id).first()
    if found is None:
        raise ImportMissing
    context = {
        "title": f"Import of {found.name}",
        "run": found,
        "figures": sorted((name, number) for name, number in found.figures.items() if number),
        "is_over": found.state in {"done", "failed"},
        "is_importable": found.file_id and flow.is_importable(found),
    }
    return show(request, "console/import_run.html", context)


@require_POST
@staff(Permission.CATALOG_WRITE)
def carry_on(request: StaffRequest, run_id: uuid.UUID) -> HttpResponse:
    """Import the file that a dry run has tried."""
    begun = flow.import_tried(run_id, actor_id=request.user.pk)
    return HttpResponseRedirect(f"/console/products/import/{begun.pk}")


@require_safe
@staff(Permission.CATALOG_WRITE)
def export(request: StaffRequest) -> HttpResponseBase:
    """All products of a storefront as CSV or NDJSON, without their pictures."""
    slug, kind = scalar(request.GET, "storefront"), scalar(request.GET, "as")
    if kind not in _KINDS or slug not in {shop.slug for shop in goods_storefronts()}:
        raise NotFound("There is nothing of this kind to export.")
    lines, content_type = _KINDS[kind]
    return StreamingHttpResponse(
        lines(slug, {}),
        content_type=f"{content_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{slug}-products.{kind}"'},
    )
