"""What a picture is called while it waits: for its first try, its second, or for the storage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from house.people import client_for, make_user, page_client
from house.photos import photo
from markethall.content.imaging.models import Generation, ProviderCall
from markethall.content.imaging.providers.base import (
    MadePicture,
    PictureWish,
    ProviderUnavailable,
    ProviderWorking,
)
from markethall.flows import generation as flow
from markethall.foundation.accounts.models import User
from markethall.foundation.files.actions import store_file
from markethall.foundation.files.errors import StorageUnavailable
from markethall.foundation.ledger.queries import Balance, balance_of

pytestmark = pytest.mark.django_db(transaction=True)


class Maker:
    """A provider that raises what is laid out for its next calls, then makes a picture."""

    model = "test"

    def __init__(self) -> None:
        self.next: list[Exception] = []

    def make(self, wish: PictureWish) -> MadePicture:
        if self.next:
            raise self.next.pop(0)
        return MadePicture(photo("PNG"), "image/png", 64, 48)


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Maker:
    maker = Maker()
    monkeypatch.setattr(flow, "provider_named", lambda name: maker)
    return maker


@pytest.fixture
def storage_is_away(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Run the job while no photo can be read."""

    def away(*_: Any) -> bytes:
        raise StorageUnavailable("away")

    def run() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(flow, "read_file", away)
            flow.run_generation(Generation.objects.get().pk)

    return run


@pytest.fixture
def user() -> User:
    user = make_user()
    upload = store_file(
        photo("JPEG"), purpose="upload", content_type="image/jpeg", owner_id=user.pk
    )
    flow.start_generation(user_id=user.pk, upload_id=upload.pk)
    return user


def run() -> None:
    flow.run_generation(Generation.objects.get().pk)


def shown(user: User) -> tuple[str, bool, str]:
    """The status by API, whether the page offers to cancel, and how cancelling is answered."""
    picture_id = Generation.objects.get().pk
    api = client_for(user)
    status = api.get(f"/api/images/{picture_id}").json()["status"]
    (listed,) = api.get(f"/api/images?status={status}").json()["items"]
    assert listed["status"] == status
    page = page_client(user).get(f"/plushify/generations/{picture_id}").content.decode()
    assert ("Waiting for a needle" in page) == (status == "pending")
    assert ("Sewing your plush" in page) == (status == "processing")
    answer = api.post(f"/api/images/{picture_id}/cancel").json()
    return status, "/cancel" in page, answer.get("code", "cancelled")


BEING_MADE = ("processing", False, "not_pending")


def test_between_two_tries_it_is_being_made(user: User, maker: Maker) -> None:
    maker.next = [ProviderUnavailable("busy")]
    run()
    assert shown(user) == BEING_MADE
    run()
    assert Generation.objects.get().status == "completed"


def test_the_storage_away_at_the_second_try(
    user: User, maker: Maker, storage_is_away: Callable[[], None]
) -> None:
    maker.next = [ProviderUnavailable("busy")]
    run()
    began = Generation.objects.get().started_at
    storage_is_away()
    assert shown(user) == BEING_MADE
    picture = Generation.objects.get()
    assert (picture.attempts, picture.started_at) == (1, began)
    run()
    assert (Generation.objects.get().attempts, balance_of(user.pk)) == (2, Balance(9, 0))


def test_the_storage_away_while_a_provider_works(
    user: User, maker: Maker, storage_is_away: Callable[[], None]
) -> None:
    maker.next = [ProviderWorking("p1", again_in=timedelta(seconds=2))]
    run()
    storage_is_away()
    assert shown(user) == BEING_MADE
    assert Generation.objects.get().attempts == 1
    assert ProviderCall.objects.get().outcome == "working"
    run()
    assert ProviderCall.objects.get().outcome == "made"
    assert balance_of(user.pk) == Balance(9, 0)


def test_the_storage_away_before_anybody_was_asked(
    user: User, maker: Maker, storage_is_away: Callable[[], None]
) -> None:
    storage_is_away()
    assert Generation.objects.get().attempts == 0
    assert shown(user) == ("pending", True, "cancelled")
    assert balance_of(user.pk) == Balance(10, 0)
    run()
    assert Generation.objects.get().status == "failed"
