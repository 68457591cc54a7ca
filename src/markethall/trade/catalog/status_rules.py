"""Pure rules of the states a product goes through."""

from __future__ import annotations

from markethall.trade.catalog.models import ProductStatus as S

MOVES: dict[S, frozenset[S]] = {
    S.DRAFT: frozenset({S.SUBMITTED, S.ACTIVE, S.REJECTED, S.ARCHIVED}),
    S.SUBMITTED: frozenset({S.DRAFT, S.ACTIVE, S.REJECTED, S.ARCHIVED}),
    S.ACTIVE: frozenset({S.ARCHIVED, S.DRAFT}),
    S.REJECTED: frozenset({S.DRAFT, S.SUBMITTED, S.ACTIVE, S.ARCHIVED}),
    S.ARCHIVED: frozenset({S.DRAFT, S.ACTIVE}),
}


def can_move(origin: str, to: str) -> bool:
    """Whether a product may go from ``origin`` to ``to``."""
    return S(to) in MOVES[S(origin)]
