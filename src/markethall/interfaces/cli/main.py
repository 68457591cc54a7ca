"""``markethall …``: commands parse, call, and print."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from markethall.interfaces.cli import (
    backup,
    doctor,
    gateways,
    goods,
    moving,
    people,
    reconcile,
    sandbox,
)
from markethall.interfaces.cli.setup import prepare

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
)
console = Console(highlight=False)
app.command()(doctor.doctor)
app.command()(backup.backup)
app.command()(backup.restore)
app.command("move-files")(moving.move_files)
app.command("import-products")(goods.import_products)
app.command("export-products")(goods.export_products)
app.command("create-admin")(people.create_admin)
app.command()(sandbox.seed)
app.command()(sandbox.clock)
app.command()(sandbox.outage)
app.command()(reconcile.reconcile)
app.command("setup-stripe")(gateways.setup_stripe)
app.command("setup-polar")(gateways.setup_polar)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="The one port of pages, API and live.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    demo: Annotated[bool, typer.Option(help="Fill an empty hall with demo data.")] = True,
) -> None:
    """All in one: database, migrations, demo data, web, worker, live."""
    from markethall.interfaces.cli.up import Hall

    Hall(host=host, port=port, demo=demo).open()


@app.command()
def serve(port: int = 8000, host: str = "127.0.0.1") -> None:
    """Serve pages, API and live on one port."""
    prepare()
    from markethall.interfaces.server.readiness import collect_static_when_needed
    from markethall.interfaces.server.run import run

    collect_static_when_needed()
    run(host=host, port=port)


@app.command()
def worker(
    queues: Annotated[str, typer.Option(help="Comma-separated; all when empty.")] = "",
    concurrency: int = 4,
) -> None:
    """Run jobs until told to stop."""
    prepare()
    from markethall.interfaces.jobs.worker import run

    run(queues=[queue for queue in queues.split(",") if queue], concurrency=concurrency)


@app.command()
def migrate() -> None:
    """Bring the database's tables up to date."""
    prepare(tables=False, opens=False)
    from markethall.interfaces.cli.setup import bring_tables_up_to_date, checked_environment

    with console.status("Bringing the tables up to date …"):
        changed = bring_tables_up_to_date(checked_environment(opens=False))
    console.print("The tables are up to date." if changed else "The tables were up to date.")


@app.command("check-ledger")
def check_ledger() -> None:
    """Recompute the books from nothing; fails when anything is off."""
    prepare()
    from markethall.foundation.ledger import check

    faults = 0
    with console.status("Checking the books …") as status:
        for result in check.check_ledger():
            status.update(result.name)
            console.print(
                f"[green]✓[/] {result.name}" if not result.faults else f"[red]✗[/] {result.name}"
            )
            for fault in result.faults:
                faults += 1
                console.print(f"    {fault}", markup=False)
    if faults:
        raise typer.Exit(1)
    console.print(f"The books are right. Checksum {check.checksum()}")


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    prepare(database=False)
    import json

    from markethall.interfaces.api.document import openapi_document

    typer.echo(json.dumps(openapi_document(), indent=2))
