"""``markethall reconcile``: heals what the gateways know better, and shows what differs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from markethall.interfaces.cli.sandbox import span
from markethall.interfaces.cli.setup import CannotStart, prepare

if TYPE_CHECKING:
    from markethall.foundation.reconciliation.models import Comparison

console = Console(highlight=False)


def reconcile(
    since: Annotated[
        str, typer.Option(help="From when on: 2026-11-01, or 7d, 12h back from now.")
    ] = "7d",
) -> None:
    """Ask every gateway in use for what we have missed, heal it, and compare its money with the
    books; fails when a gateway does not answer or something still differs."""
    prepare()
    import markethall.interfaces.jobs.registry  # noqa: F401
    from markethall.flows import comparison
    from markethall.foundation.reconciliation.queries import comparison as with_figures

    wanted = comparison.open_one(actor_id=None, since=_begin(since))
    with console.status("Asking the gateways …") as status:
        run = comparison.run(wanted.pk, tell=status.update)
    _show(with_figures(run.pk))


def _begin(text: str) -> datetime:
    from markethall.kernel import clock

    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return clock.now() - span(text)
    if at > clock.now().replace(tzinfo=at.tzinfo):
        raise CannotStart(f"{text} has not come yet.")
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _show(run: Comparison) -> None:
    from markethall.foundation.reconciliation.rules import EXPLANATIONS
    from markethall.kernel.money import Money

    days = Table("Gateway", "Day", "Charged there", "here", "Refunded there", "here", "Off by")
    for row in run.days.order_by("gateway", "currency", "day"):
        amounts = (row.charged_there, row.charged_here, row.refunded_there, row.refunded_here)
        figures = [str(Money(amount, row.currency)) for amount in (*amounts, row.off_by)]
        days.add_row(row.gateway, row.day.isoformat(), *figures)
    if days.row_count:
        console.print(days)
    for item in run.differences.order_by("gateway", "day", "pk"):
        console.print(f"{item.day} {item.gateway} {item.ref or item.payment_id}", style="bold")
        console.print(f"    there {item.money_there or '–'}, here {item.money_here or '–'}")
        console.print(f"    {EXPLANATIONS[item.reason]}", markup=False)
    for gateway in run.gateways:
        sign = "[green]✓[/]" if gateway["answered"] else "[red]✗[/]"
        console.print(f"{sign} {gateway['name']}: ", end="")
        console.print(gateway["detail"], markup=False)
    console.print(f"{run.asked} asked about, {run.healed} healed.")
    differs = run.differences.exists()
    if differs or not all(gateway["answered"] for gateway in run.gateways):
        raise typer.Exit(1)
    console.print("The gateways' money and the books agree.")
