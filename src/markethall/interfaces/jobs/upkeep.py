"""What is swept away by itself, and the jobs of workers that died."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from procrastinate import JobContext
from procrastinate.contrib.django import app

from markethall.flows import bespoke, imports, staff_alerts
from markethall.foundation.accounts.tokens import revoke_expired
from markethall.foundation.audit.actions import drop_old_addresses
from markethall.foundation.messaging.actions import forget_mails
from markethall.foundation.payments import inbox
from markethall.insight.analytics.actions import forget_old_glances
from markethall.kernel import clock, idempotency, job_log, throttle
from markethall.trade.cart.actions import forget_visitors
from markethall.trade.wishlist.actions import forget_wishes

KEEP_JOBS = timedelta(days=3)
KEEP_FAILED_JOBS = timedelta(days=30)
STALLED_AFTER = timedelta(seconds=30)


@app.periodic(cron="7 * * * *")
@app.task(name="forget_what_is_over", queue="default", queueing_lock="forget_what_is_over")
def forget_what_is_over(timestamp: int) -> None:
    """Answers kept for idempotency keys, lapsed tries, ended sessions, network addresses, pictures
    and files that nothing came of."""
    idempotency.forget_old()
    throttle.forget_lapsed()
    job_log.forget_errors(KEEP_FAILED_JOBS)
    revoke_expired()
    Session.objects.filter(expire_date__lt=clock.now()).delete()
    drop_old_addresses()
    bespoke.sweep_unsent_pictures()
    imports.forget_tried_files()


@app.periodic(cron="23 * * * *")
@app.task(name="end_retention", queue="default", queueing_lock="end_retention")
def end_retention(timestamp: int) -> None:
    """Mails and webhooks whose time in the log is over, carts that visitors forgot, and who looked
    at what."""
    now = clock.now()
    forget_mails(before=now - timedelta(days=settings.ENVIRONMENT.keep_mails_days))
    forget_old_glances(now)
    inbox.forget(before=now - timedelta(days=settings.ENVIRONMENT.keep_webhooks_days))
    forget_wishes(before=now - timedelta(days=settings.ENVIRONMENT.keep_carts_days))
    forget_visitors(before=now - timedelta(days=settings.ENVIRONMENT.keep_carts_days))


@app.periodic(cron="*/10 * * * *")
@app.task(name="tell_staff", queue="default", queueing_lock="tell_staff")
def tell_staff(timestamp: int) -> None:
    """What waits for somebody in the console, by mail to those who administer the hall."""
    staff_alerts.tell_staff()


@app.periodic(cron="37 * * * *")
@app.task(
    name="forget_done_jobs", queue="default", queueing_lock="forget_done_jobs", pass_context=True
)
async def forget_done_jobs(context: JobContext, timestamp: int) -> None:
    """Jobs that are done; failed ones stay longer, for whoever looks into them."""
    manager = context.app.job_manager
    await manager.delete_old_jobs(nb_hours=_hours(KEEP_JOBS))
    await manager.delete_old_jobs(nb_hours=_hours(KEEP_FAILED_JOBS), include_failed=True)


@app.periodic(cron="* * * * *")
@app.task(
    name="rescue_stalled_jobs",
    queue="default",
    queueing_lock="rescue_stalled_jobs",
    pass_context=True,
)
async def rescue_stalled_jobs(context: JobContext, timestamp: int) -> None:
    """Jobs whose worker was killed go back into the queue."""
    manager = context.app.job_manager
    seconds = STALLED_AFTER.total_seconds()
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=seconds):
        await manager.retry_job(job)


def _hours(period: timedelta) -> int:
    return int(period.total_seconds() // 3600)
