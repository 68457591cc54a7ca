from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from markethall.interfaces.cli.setup import CannotStart, prepare

console = Console(highlight=False)


def create_admin(
    email: Annotated[str, typer.Option(prompt=True, help="The address to sign in with.")],
    password: Annotated[str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True)],
    name: Annotated[str, typer.Option(help="What to call them.")] = "",
) -> None:
    """Make somebody a super admin; an account of that address is raised, else one is made."""
    prepare()
    from markethall.foundation.accounts.staff import make_super_admin
    from markethall.kernel.errors import Problem

    try:
        user, made = make_super_admin(email=email, password=password, name=name)
    except Problem as problem:
        raise CannotStart(problem.detail) from None
    done = "is a super admin now" if made else "was there already and is a super admin now"
    console.print(f"{user.email} {done}.", markup=False)
