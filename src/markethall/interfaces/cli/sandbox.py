from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console

from markethall.interfaces.cli.setup import CannotStart, prepare

console = Console(highlight=False)
_SPAN = re.compile(r"^(\d+)\s*(d|h|m|days?|hours?|minutes?)$")


def clock(
    turn: Annotated[str, typer.Option(help="Turn it forward: 30d, 12h, 45m.")] = "",
    reset: Annotated[bool, typer.Option(help="Bring it back to real time.")] = False,
) -> None:
    """Show the sandbox's clock, or turn it. What is due by then is done at once."""
    prepare()
    from markethall.interfaces.jobs.periodic import enqueue_all_periodic
    from markethall.kernel import clock as kernel_clock

    try:
        if reset:
            kernel_clock.reset()
        if turn:
            kernel_clock.turn(span(turn))
            enqueue_all_periodic()
    except kernel_clock.ClockIsFixed as error:
        raise CannotStart(str(error)) from None
    ahead = kernel_clock.offset()
    console.print(f"{kernel_clock.now():%Y-%m-%d %H:%M:%S} UTC, {ahead} ahead of real time")


def outage(
    last: Annotated[str, typer.Option("--for", help="Begin one: 1h, 45m, 2d.")] = "",
    end: Annotated[bool, typer.Option(help="End it.")] = False,
) -> None:
    """Let the sandbox gateway be down for a while: no calls answered, no webhooks ever sent."""
    prepare()
    from django.conf import settings

    from markethall.foundation.payments.gateways.sandbox import outage as sandbox_outage

    if not settings.SANDBOX:
        raise CannotStart("Only the sandbox gateway can be made to fail; this is production.")
    if end:
        sandbox_outage.end()
    if last:
        sandbox_outage.begin(span(last))
    until = sandbox_outage.until()
    console.print(
        f"The gateway is down until {until:%Y-%m-%d %H:%M:%S} UTC of the sandbox's clock."
        if until
        else "The gateway answers."
    )


def span(text: str) -> timedelta:
    """``30d``, ``12h`` or ``45m`` as a span of time. Raises CannotStart for anything else."""
    found = _SPAN.match(text.strip().lower())
    if found is None:
        raise CannotStart(f"{text!r} is no span of time. Write 30d, 12h or 45m.")
    unit = {"d": "days", "h": "hours", "m": "minutes"}[found[2][0]]
    return timedelta(**{unit: int(found[1])})


def seed() -> None:
    """Fill an empty hall with demo data, by the same acts as a person's. Does nothing twice."""
    prepare()
    from django.conf import settings

    if not settings.SANDBOX:
        raise CannotStart("Demo data belongs in the sandbox; this is production.")
    import markethall.interfaces.jobs.registry  # noqa: F401
    from markethall.interfaces.demo.story import tell

    for step in tell():
        console.print(f"  {step}", markup=False)
    console.print("The demo data is there.")
