"""``markethall move-files``: from one storage to another, while the hall is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from markethall.interfaces.cli.setup import CannotStart, prepare

if TYPE_CHECKING:
    from markethall.foundation.files import moving

console = Console(highlight=False)
_SHOWN = 50

Source = Annotated[str, typer.Option("--from", help="Where the files lie: local, s3, r2 …")]
Target = Annotated[str, typer.Option("--to", help="Where they shall lie.")]
Keep = Annotated[bool, typer.Option("--keep-source", help="Leave the copies where they were.")]
AtOnce = Annotated[int, typer.Option(min=1, max=16, help="How many files at once.")]


def move_files(
    source: Source, target: Target, keep_source: Keep = False, at_once: AtOnce = 4
) -> None:
    """Move existing files from one storage to another: copied, read back and compared, and only
    then removed. The hall may be open. Can be broken off, and run again."""
    prepare()
    import markethall.interfaces.jobs.registry  # noqa: F401
    from markethall.foundation.files import moving
    from markethall.foundation.files.storage import registry

    _refuse_unknown(source, target, registry.names())
    count, size = moving.waiting(source)
    console.print(f"{count} files, {decimal(size)}, lie in {source}.")
    if registry.chosen() == source:
        console.print(f"[yellow]![/] New files still go there: set STORAGE={target} first.")
    run = moving.Move(source, target)
    columns = (TextColumn("Moving"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    stopped = ""
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=count)
        try:
            moving.move_files(
                run,
                keep_source=keep_source,
                at_once=at_once,
                tell=lambda file: progress.advance(task),
            )
        except moving.MoveStopped as error:
            stopped = str(error)
    _report(run)
    if stopped:
        raise CannotStart(f"Stopped: {stopped} What is moved stays moved; run it again to go on.")
    if run.faults:
        raise typer.Exit(1)


def _refuse_unknown(source: str, target: str, known: list[str]) -> None:
    for name in (source, target):
        if name not in known:
            raise CannotStart(f"{name} is not set up. There is: {', '.join(known)}.")
    if source == target:
        raise CannotStart("That is the same storage.")


def _report(run: moving.Move) -> None:
    from markethall.foundation.files.moving import LINKS_OUT, waiting

    console.print(f"[green]✓[/] {run.moved} moved to {run.target}, {decimal(run.bytes)}, compared.")
    if run.removed:
        console.print(f"[green]✓[/] {run.removed} copies removed from {run.source}.")
    if run.to_be_removed:
        minutes = int(LINKS_OUT.total_seconds() // 60)
        console.print(
            f"[green]✓[/] {run.to_be_removed} copies go from {run.source} in {minutes} minutes,"
            " by a worker: until then, links that are out lead to them."
        )
    for name, outcome in run.faults[:_SHOWN]:
        console.print(f"[red]✗[/] {name}: {outcome.value}; left where it is")
    if len(run.faults) > _SHOWN:
        console.print(f"    and {len(run.faults) - _SHOWN} more")
    console.print(f"{waiting(run.source)[0]} files lie in {run.source} now.")
