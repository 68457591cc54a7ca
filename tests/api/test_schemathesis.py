"""R6, quickly: whatever is sent, no answer is a fault of ours or outside the
document.

The proofs do the same with many more requests and every role.
"""

from __future__ import annotations

from typing import Any

import pytest

from house.probing import document, examples, try_out
from house.things import something_of_every_kind
from markethall.foundation.accounts.permissions import Role

hall = document(boundaries=False)


@pytest.fixture
def things() -> dict[str, Any]:
    return something_of_every_kind()


@pytest.mark.django_db
@hall.parametrize()
@examples(2)
def test_no_quick_answer_outside_the_document(case: Any, things: dict[str, Any]) -> None:
    try_out(case, things, (Role.ADMIN,))
