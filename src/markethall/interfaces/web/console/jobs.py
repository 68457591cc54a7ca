"""The job queue: what waits, runs and failed, and who runs it."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from markethall.flows import job_desk
from markethall.foundation.accounts.permissions import Permission
from markethall.interfaces.web.console.access import StaffRequest, staff
from markethall.interfaces.web.console.frame import (
    ROWS,
    Filters,
    choices,
    cursor_of,
    done,
    show,
    show_list,
)
from markethall.kernel import job_log
from markethall.kernel.pagination import paginate

_COLUMNS = [
    {"label": "Job"},
    {"label": "Queue"},
    {"label": "State"},
    {"label": "Arguments"},
    {"label": "Tries", "num": True},
    {"label": "Due", "num": True},
    {"label": "Id", "num": True},
]
_STATES = ("todo", "doing", "failed", "retrying", "stalled", "succeeded", "cancelled", "aborted")


class JobFilters(Filters):
    task = forms.CharField(label="Job", max_length=128)
    state = forms.ChoiceField(choices=choices(_STATES, "Any state"))
    queue = forms.CharField(label="Queue", max_length=128)


@require_safe
@staff(Permission.JOBS_READ)
def index(request: StaffRequest) -> HttpResponse:
    filters = JobFilters(request.GET)
    chosen = filters.chosen()
    page = paginate(
        job_log.jobs_matching(**chosen), order=["-id"], limit=ROWS, cursor=cursor_of(request)
    )
    stalled = job_log.stalled_ids()
    for row in page.items:
        row.state = _state(row, stalled)
    context = {
        "title": "Jobs",
        "columns": _COLUMNS,
        "empty_title": "No job has run yet",
        "empty_text": "What takes long, or asks somebody else, runs as a job.",
        "empty_icon": "activity",
    }
    if "cursor" not in request.GET:
        context |= {"queues": job_log.queue_states(), "workers": job_log.workers()}
    return show_list(request, "console/jobs.html", page, context, filters=filters)


@require_safe
@staff(Permission.JOBS_READ)
def machinery(request: StaffRequest) -> HttpResponse:
    """Queues and workers, asked for again and again while the page is open."""
    context = {"queues": job_log.queue_states(), "workers": job_log.workers()}
    return render(request, "console/machinery.html", context)


@require_safe
@staff(Permission.JOBS_READ)
def detail(request: StaffRequest, job_id: int) -> HttpResponse:
    return _show(request, job_id)


@require_POST
@staff(Permission.JOBS_RETRY)
def retry(request: StaffRequest, job_id: int) -> HttpResponse:
    job_desk.retry_job(job_id=job_id, actor_id=request.user.pk)
    return done(
        request,
        "The job runs again.",
        to=f"/console/jobs/{job_id}",
        again=lambda: _show(request, job_id),
    )


@require_POST
@staff(Permission.JOBS_RETRY)
def cancel(request: StaffRequest, job_id: int) -> HttpResponse:
    job_desk.cancel_job(job_id=job_id, actor_id=request.user.pk)
    return done(
        request,
        "The job is cancelled.",
        to=f"/console/jobs/{job_id}",
        again=lambda: _show(request, job_id),
    )


def _show(request: StaffRequest, job_id: int) -> HttpResponse:
    job = job_log.job_named(job_id)
    state = _state(job, job_log.stalled_ids())
    context = {
        "title": job.task_name,
        "job": job,
        "state": state,
        "events": job_log.events_of(job_id),
        "error": job_log.error_of(job_id),
    }
    return show(request, "console/job.html", context)


def _state(job: job_log.ProcrastinateJob, stalled: set[int]) -> str:
    if job.pk in stalled:
        return "stalled"
    return "retrying" if job.status == "todo" and job.attempts else str(job.status)
