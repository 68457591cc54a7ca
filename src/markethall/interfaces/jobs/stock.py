"""Stock."""

from __future__ import annotations

from procrastinate.contrib.django import app

from markethall.trade.inventory import actions


@app.periodic(cron="* * * * *")
@app.task(name="lapse_reservations", queue="default", queueing_lock="lapse_reservations")
def lapse_reservations(timestamp: int) -> None:
    """Pieces that checkouts kept for too long are anybody's again."""
    actions.lapse()
