from __future__ import annotations

import uuid

import pytest

from house.parallel import together
from house.people import make_user
from house.photos import photo
from markethall.content.imaging.errors import InsufficientCredits, NoSuchUpload
from markethall.content.imaging.models import Generation
from markethall.flows.erasure import erase_account
from markethall.flows.generation import start_generation
from markethall.foundation.files.actions import store_file
from markethall.foundation.files.models import UPLOAD
from markethall.foundation.ledger.check import check_ledger
from markethall.foundation.ledger.queries import Balance, balance_of

REFUSALS = (InsufficientCredits, NoSuchUpload)


@pytest.mark.django_db(transaction=True)
def test_pictures_asked_for_during_an_erasure_are_refused_or_erased_too() -> None:
    for turn in range(5):
        user = make_user(email=f"ada{turn}@example.com")
        upload = store_file(photo(), purpose=UPLOAD, content_type="image/jpeg", owner_id=user.pk)

        def ask(user_id: uuid.UUID = user.pk, upload_id: uuid.UUID = upload.pk) -> Generation:
            return start_generation(user_id=user_id, upload_id=upload_id, style="cartoon")

        asked = together([ask, lambda u=user: erase_account(user_id=u.pk, actor=u), ask, ask])
        erased = asked.pop(1)
        assert erased is None, erased
        assert all(isinstance(answer, (Generation, *REFUSALS)) for answer in asked), asked
        assert not Generation.objects.filter(user_id=user.pk).exists()
        assert balance_of(user.pk) == Balance(0, 0)
    assert [fault for result in check_ledger() for fault in result.faults] == []
