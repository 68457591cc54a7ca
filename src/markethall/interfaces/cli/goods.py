"""``markethall import-products`` and ``export-products``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from markethall.interfaces.cli.setup import CannotStart, prepare

if TYPE_CHECKING:
    from markethall.trade.catalog.importing.run import Report

console = Console(highlight=False)
_SHOWN = 50

Source = Annotated[
    Path, typer.Argument(help="A .csv, .ndjson, .tar.gz or .zip file, or a folder.", exists=True)
]
Target = Annotated[
    Path, typer.Argument(help="A .csv or .ndjson file; .csv.tar.gz or .tar.gz with pictures.")
]
Shop = Annotated[str, typer.Option("--storefront", help="Whose products these are.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would come of it; save nothing.")]


def import_products(source: Source, storefront: Shop, dry_run: DryRun = False) -> None:
    """Import products from CSV or a Sanity dataset export. What is wrong in one line spoils no
    other, and a second import of the same file changes nothing. Exits with 1 when lines were
    wrong."""
    prepare()
    _check(storefront)
    from markethall.kernel.errors import Problem
    from markethall.trade.catalog.importing.run import import_file

    with _progress("Importing") as progress:
        task = progress.add_task("", total=None)
        try:
            report = import_file(
                source,
                storefront=storefront,
                actor_id=None,
                dry_run=dry_run,
                tell=lambda done, total: progress.update(task, completed=done, total=total),
            )
        except Problem as problem:
            raise CannotStart(problem.detail) from None
    _tell(report)
    if report.faults:
        raise typer.Exit(1)


def export_products(target: Target, storefront: Shop) -> None:
    """Write all products of a storefront down, so that an import gives the same again."""
    prepare()
    _check(storefront)
    from markethall.kernel.errors import Problem
    from markethall.trade.catalog.importing.export import export_file

    with _progress("Exporting") as progress:
        task = progress.add_task("", total=None)
        try:
            written = export_file(
                target,
                storefront=storefront,
                tell=lambda done, total: progress.update(task, completed=done, total=total),
            )
        except Problem as problem:
            raise CannotStart(problem.detail) from None
    told = f"{written['products']} products and {written['pictures']} pictures are in {target}."
    console.print(told, markup=False)


def _progress(doing: str) -> Progress:
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True)


def _check(slug: str) -> None:
    import markethall.interfaces.jobs.registry  # noqa: F401
    from markethall.trade.catalog.storefronts import goods_storefronts

    known = [shop.slug for shop in goods_storefronts()]
    if slug not in known:
        raise CannotStart(f"No products are sold at {slug!r}: name {', '.join(known)}.")


def _tell(report: Report) -> None:
    for fault in report.faults[:_SHOWN]:
        console.print(f"line {fault.line}: {fault.where}: {fault.message}", markup=False)
    if len(report.faults) > _SHOWN:
        console.print(f"… and {len(report.faults) - _SHOWN} more.", markup=False)
    told = ", ".join(
        f"{number} {kind}" for kind, number in sorted(report.figures.items()) if number
    )
    console.print(told or "There was nothing to import.", markup=False)
    if report.is_dry:
        console.print("This was a dry run: nothing was saved.")
