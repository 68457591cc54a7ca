from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from house.jobs import run_jobs
from house.parallel import together
from house.people import client_for, make_user
from house.photos import opened, photo
from markethall.content.imaging.errors import (
    InsufficientCredits,
    NoSuchGeneration,
    NoSuchUpload,
    NotPending,
    StillProcessing,
)
from markethall.content.imaging.models import Generation
from markethall.content.imaging.providers.base import (
    MadePicture,
    PictureWish,
    ProviderRefused,
    ProviderUnavailable,
)
from markethall.content.imaging.rules import MAX_TRIES, seed_of, wait_before
from markethall.flows import generation as flow
from markethall.flows.erasure import erase_account
from markethall.flows.generation_care import rescue_generations, sweep_files
from markethall.foundation.accounts.models import User, UserSettings
from markethall.foundation.files.actions import delete_file, read_file, store_file
from markethall.foundation.files.models import StoredFile
from markethall.foundation.ledger.check import check_ledger
from markethall.foundation.ledger.models import Entry
from markethall.foundation.ledger.queries import Balance, balance_of
from markethall.foundation.messaging.models import Mail
from markethall.kernel.errors import Invalid

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """The worker's process ends here."""


class Studio:
    """A provider that does what a test tells it, and remembers what it was asked for."""

    model = "test"

    def __init__(self) -> None:
        self.wishes: list[PictureWish] = []
        self.act: Callable[[PictureWish], Any] = lambda wish: None

    def make(self, wish: PictureWish) -> MadePicture:
        self.wishes.append(wish)
        self.act(wish)
        return MadePicture(photo("PNG"), "image/png", 64, 48)

    def probe(self) -> str:
        return "here"


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch) -> Studio:
    studio = Studio()
    monkeypatch.setattr(flow, "provider_named", lambda name: studio)
    return studio


@pytest.fixture
def user() -> User:
    return make_user()


def raising(error: BaseException) -> Callable[[PictureWish], None]:
    def act(wish: PictureWish) -> None:
        raise error

    return act


def uploaded(user: User) -> StoredFile:
    content = photo("JPEG")
    return store_file(content, purpose="upload", content_type="image/jpeg", owner_id=user.pk)


def start(user: User, upload: StoredFile | None = None, **wish: Any) -> uuid.UUID:
    upload = upload or uploaded(user)
    return flow.start_generation(user_id=user.pk, upload_id=upload.pk, **wish).pk


def state(generation_id: uuid.UUID) -> Generation:
    return Generation.objects.get(pk=generation_id)


def stored() -> set[str]:
    """Everything that lies in the storage."""
    found = set()
    for purpose in default_storage.listdir("")[0]:
        for shard in default_storage.listdir(purpose)[0]:
            folder = f"{purpose}/{shard}"
            found |= {f"{folder}/{name}" for name in default_storage.listdir(folder)[1]}
    return found


def faults() -> list[str]:
    return [fault for result in check_ledger() for fault in result.faults]


def waiting_jobs() -> list[ProcrastinateJob]:
    return list(ProcrastinateJob.objects.filter(task_name=flow.JOB, status="todo"))


class TestTheWay:
    def test_hold_job_picture_capture(self, user: User, studio: Studio) -> None:
        generation_id = start(user, style="cartoon", size="large", prompt=" a red bow ")
        assert state(generation_id).status == "pending"
        assert balance_of(user.pk) == Balance(9, 1)

        def look(wish: PictureWish) -> None:
            assert connection.in_atomic_block is False
            assert state(generation_id).status == "processing"

        studio.act = look
        run_jobs()
        picture = state(generation_id)
        assert (picture.status, picture.style, picture.prompt) == (
            "completed",
            "cartoon-style",
            "a red bow",
        )
        assert picture.result is not None
        assert read_file(picture.result) == photo("PNG")
        assert (picture.attempts, picture.error_message) == (1, "")
        assert picture.processing_ms is not None
        assert balance_of(user.pk) == Balance(9, 0)
        assert studio.wishes[0].longer_side == 1024
        assert not Mail.objects.exists()

    def test_the_local_provider_makes_a_picture(self, user: User) -> None:
        generation_id = start(user, size="small", style="minimalist")
        flow.run_generation(generation_id)
        result = state(generation_id).result
        assert result is not None
        assert max(opened(read_file(result)).size) == 512
        assert (result.width, result.height) == opened(read_file(result)).size

    def test_the_default_style_is_the_persons_own(self, user: User) -> None:
        assert state(start(user)).style == "cute-fluffy"
        UserSettings.objects.update_or_create(user=user, defaults={"default_style": "minimalist"})
        assert state(start(user)).style == "minimalist"

    @pytest.mark.parametrize("wish", [{"style": "rubber"}, {"size": "huge"}, {"prompt": "x" * 501}])
    def test_wishes_that_cannot_be(self, user: User, wish: dict[str, str]) -> None:
        with pytest.raises(Invalid):
            start(user, **wish)
        assert balance_of(user.pk) == Balance(10, 0)

    def test_only_ones_own_uploads_can_be_used(self, user: User) -> None:
        with pytest.raises(NoSuchUpload):
            start(user, uploaded(make_user()))
        result = store_file(b"x", purpose="result", content_type="image/png", owner_id=user.pk)
        with pytest.raises(NoSuchUpload):
            start(user, result)
        assert balance_of(user.pk) == Balance(10, 0)
        assert not waiting_jobs()

    def test_the_seed_follows_from_the_wish(self) -> None:
        seeds = {seed_of("aa", style, "small", prompt) for style in "xy" for prompt in ("", "p")}
        assert len(seeds) == 4
        assert seed_of("aa", "x", "small", "") == seed_of("aa", "x", "small", "")


class TestOneCredit:
    def test_of_fifty_parallel_requests_one_is_accepted(self) -> None:
        user = make_user(credits=1)
        upload = uploaded(user)
        client = client_for(user)

        def ask() -> Any:
            body = {"uploadId": str(upload.pk), "style": "cute", "size": "small"}
            return client_for(user).post("/api/images/generate", body)

        answers: list[Any] = together([ask] * 50)
        assert sorted(answer.status_code for answer in answers) == [202] + [402] * 49
        refused = next(answer.json() for answer in answers if answer.status_code == 402)
        assert refused["code"] == "insufficient_credits"
        assert refused["pricingUrl"].startswith("http")
        assert client.get("/api/credits/balance").json() == {"balance": 0, "held": 1}
        assert Generation.objects.count() == len(waiting_jobs()) == 1
        assert not Entry.objects.filter(balance_after__lt=0).exists()
        assert faults() == []

    def test_nobody_spends_what_they_have_not(self) -> None:
        with pytest.raises(InsufficientCredits):
            start(make_user(credits=0))


class TestFailure:
    def test_a_refusal_gives_the_credit_back_and_says_why(self, user: User, studio: Studio) -> None:
        studio.act = raising(ProviderRefused("Show less of yourself."))
        generation_id = start(user)
        run_jobs(["imaging"])
        picture = state(generation_id)
        assert picture.status == "failed"
        assert picture.error_message.startswith("Show less of yourself. Your credit")
        assert balance_of(user.pk) == Balance(10, 0)
        mail = Mail.objects.get()
        assert (mail.to, mail.template) == (user.email, "picture_failed")
        assert "Show less of yourself. Your credit has been given back." in mail.text

    def test_no_mail_to_those_who_want_none(self, user: User, studio: Studio) -> None:
        UserSettings.objects.update_or_create(user=user, defaults={"email_notifications": False})
        studio.act = raising(ProviderRefused("No."))
        flow.run_generation(start(user))
        assert not Mail.objects.exists()

    def test_a_picture_that_took_long_is_announced(
        self, user: User, studio: Studio, turn_clock: Callable[[timedelta], None]
    ) -> None:
        generation_id = start(user)
        turn_clock(timedelta(minutes=2))
        flow.run_generation(generation_id)
        assert Mail.objects.get().template == "picture_ready"

    @pytest.mark.parametrize("error", [ProviderUnavailable("busy"), RuntimeError("bug")])
    def test_what_may_pass_is_tried_again_and_then_given_up(
        self, user: User, studio: Studio, error: Exception
    ) -> None:
        studio.act = raising(error)
        generation_id = start(user)
        for attempt in range(1, MAX_TRIES + 1):
            flow.run_generation(generation_id)
            assert state(generation_id).attempts == attempt
        assert state(generation_id).status == "failed"
        assert balance_of(user.pk) == Balance(10, 0)
        later = [job for job in waiting_jobs() if job.scheduled_at]
        assert len(later) == MAX_TRIES - 1

    def test_waits_grow_and_respect_what_the_provider_asks(self) -> None:
        waits = [wait_before(n, chance=0.5).total_seconds() for n in (2, 3, 4)]
        assert waits == [2.0, 8.0, 32.0]
        assert wait_before(2, chance=0.0, asked=60.0) == timedelta(seconds=60)
        assert wait_before(20, chance=0.5) == timedelta(seconds=120)

    def test_the_second_try_may_succeed(self, user: User, studio: Studio) -> None:
        studio.act = raising(ProviderUnavailable("busy", retry_after=7))
        generation_id = start(user)
        flow.run_generation(generation_id)
        assert state(generation_id).status == "processing"
        studio.act = lambda wish: None
        flow.run_generation(generation_id)
        assert state(generation_id).status == "completed"
        assert balance_of(user.pk) == Balance(9, 0)

    def test_a_lost_original(self, user: User, studio: Studio) -> None:
        upload = uploaded(user)
        generation_id = start(user, upload)
        default_storage.delete(upload.name)
        flow.run_generation(generation_id)
        assert state(generation_id).error_message.startswith("The uploaded photo is gone.")
        assert balance_of(user.pk) == Balance(10, 0)


class TestCrashes:
    def test_killed_while_the_provider_works(self, user: User, studio: Studio) -> None:
        generation_id = start(user)
        studio.act = raising(Killed())
        with pytest.raises(Killed):
            flow.run_generation(generation_id)
        assert (state(generation_id).status, balance_of(user.pk)) == ("processing", Balance(9, 1))
        studio.act = lambda wish: None
        flow.run_generation(generation_id)
        assert (state(generation_id).status, balance_of(user.pk)) == ("completed", Balance(9, 0))

    def test_killed_between_storing_and_recording(
        self,
        user: User,
        studio: Studio,
        monkeypatch: pytest.MonkeyPatch,
        turn_clock: Callable[[timedelta], None],
    ) -> None:
        generation_id = start(user)
        with monkeypatch.context() as patch:
            patch.setattr(flow, "mark_completed", _killed)
            with pytest.raises(Killed):
                flow.run_generation(generation_id)
        flow.run_generation(generation_id)
        assert (state(generation_id).status, balance_of(user.pk)) == ("completed", Balance(9, 0))
        assert StoredFile.objects.filter(purpose="result").count() == 2
        assert sweep_files() == 0
        turn_clock(timedelta(hours=25))
        assert sweep_files() == 1
        assert stored() == set(StoredFile.objects.values_list("name", flat=True))
        assert state(generation_id).result is not None

    def test_a_picture_that_kills_its_worker_each_time_is_given_up(
        self, user: User, studio: Studio
    ) -> None:
        generation_id = start(user)
        studio.act = raising(Killed())
        for _ in range(MAX_TRIES):
            with pytest.raises(Killed):
                flow.run_generation(generation_id)
        flow.run_generation(generation_id)
        assert state(generation_id).status == "failed"
        assert len(studio.wishes) == MAX_TRIES
        assert balance_of(user.pk) == Balance(10, 0)

    def test_jobs_that_run_twice_or_at_once_spend_once(self, user: User, studio: Studio) -> None:
        generation_id = start(user)
        results = together([lambda: flow.run_generation(generation_id)] * 3)
        assert not [result for result in results if isinstance(result, Exception)]
        flow.run_generation(generation_id)
        assert (state(generation_id).status, balance_of(user.pk)) == ("completed", Balance(9, 0))
        assert len(stored()) == StoredFile.objects.count() == 2
        assert faults() == []

    def test_a_job_whose_database_went_away_is_tried_again_soon(
        self, user: User, studio: Studio, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        generation_id = start(user)
        with monkeypatch.context() as broken:
            broken.setattr(flow, "_claim", raising(OperationalError("the connection is closed")))
            run_jobs(["imaging"])
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE queue_name = 'imaging'"
                " RETURNING status"
            )
            assert cursor.fetchall() == [("todo",)]
        run_jobs(["imaging"])
        assert state(generation_id).status == "completed"

    def test_a_generation_without_a_job_gets_one(
        self, user: User, studio: Studio, turn_clock: Callable[[timedelta], None]
    ) -> None:
        generation_id = start(user)
        turn_clock(timedelta(minutes=6))
        assert rescue_generations() == 0
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs")
        assert rescue_generations() == 1
        run_jobs(["imaging"])
        assert state(generation_id).status == "completed"
        assert rescue_generations() == 0

    def test_a_job_for_a_generation_that_is_gone(self) -> None:
        flow.run_generation(uuid.uuid4())


class TestCancelAndDelete:
    def test_cancelling_gives_the_credit_back_once(self, user: User, studio: Studio) -> None:
        generation_id = start(user)
        flow.cancel_generation(user_id=user.pk, generation_id=generation_id)
        with pytest.raises(NotPending):
            flow.cancel_generation(user_id=user.pk, generation_id=generation_id)
        run_jobs()
        assert state(generation_id).status == "failed"
        assert balance_of(user.pk) == Balance(10, 0)
        assert not studio.wishes

    def test_what_is_being_made_is_neither_cancelled_nor_deleted(
        self, user: User, studio: Studio
    ) -> None:
        generation_id = start(user)

        def interfere(wish: PictureWish) -> None:
            own = {"user_id": user.pk, "generation_id": generation_id}
            with pytest.raises(NotPending):
                flow.cancel_generation(**own)
            with pytest.raises(StillProcessing):
                flow.delete_generation(**own)

        studio.act = interfere
        flow.run_generation(generation_id)
        assert state(generation_id).status == "completed"

    def test_cancel_and_run_at_once_settle_once(self, user: User, studio: Studio) -> None:
        for _ in range(4):
            generation_id = start(user)
            own = {"user_id": user.pk, "generation_id": generation_id}
            together(
                [
                    lambda: flow.run_generation(generation_id),  # noqa: B023
                    lambda: flow.cancel_generation(**own),  # noqa: B023
                ]
            )
        spent = Generation.objects.filter(status="completed").count()
        assert Generation.objects.filter(status="failed").count() == 4 - spent
        assert balance_of(user.pk) == Balance(10 - spent, 0)
        assert faults() == []

    def test_deleting_takes_both_files_and_leaves_a_shared_original(
        self, user: User, studio: Studio
    ) -> None:
        upload = uploaded(user)
        first, second = start(user, upload), start(user, upload, style="minimalist")
        run_jobs()
        flow.delete_generation(user_id=user.pk, generation_id=first)
        assert len(stored()) == 2
        flow.delete_generation(user_id=user.pk, generation_id=second)
        assert stored() == set()
        assert not StoredFile.objects.exists()
        assert balance_of(user.pk) == Balance(8, 0)

    def test_deleting_at_once_leaves_nothing(self, user: User, studio: Studio) -> None:
        upload = uploaded(user)
        ids = [start(user, upload) for _ in range(3)]
        run_jobs()
        together(
            [
                lambda pk=pk: flow.delete_generation(user_id=user.pk, generation_id=pk)
                for pk in ids * 2
            ]
        )
        assert not Generation.objects.exists()
        assert stored() == set()

    def test_deleting_one_that_waits_gives_the_credit_back(self, user: User) -> None:
        flow.delete_generation(user_id=user.pk, generation_id=start(user))
        assert balance_of(user.pk) == Balance(10, 0)
        assert faults() == []

    def test_deleted_while_processing_by_erasure(self, user: User, studio: Studio) -> None:
        generation_id = start(user)
        uploaded(user)
        studio.act = lambda wish: erase_account(user_id=user.pk, actor=user)
        flow.run_generation(generation_id)
        assert not Generation.objects.exists()
        assert stored() == set()
        assert balance_of(user.pk) == Balance(0, 0)
        assert faults() == []

    def test_other_peoples_pictures_do_not_exist(self, user: User) -> None:
        generation_id = start(user)
        stranger = make_user()
        for act in (flow.cancel_generation, flow.delete_generation):
            with pytest.raises(NoSuchGeneration):
                act(user_id=stranger.pk, generation_id=generation_id)


class TestSweep:
    def test_unused_uploads_go_after_a_day(
        self, user: User, turn_clock: Callable[[timedelta], None]
    ) -> None:
        used, unused = uploaded(user), uploaded(user)
        start(user, used)
        turn_clock(timedelta(hours=23))
        assert sweep_files() == 0
        turn_clock(timedelta(hours=2))
        assert sweep_files() == 1
        assert stored() == {used.name}
        assert not StoredFile.objects.filter(pk=unused.pk).exists()

    def test_a_rollback_keeps_the_content(self, user: User) -> None:
        upload = uploaded(user)
        with pytest.raises(Killed), transaction.atomic():
            delete_file(upload)
            raise Killed
        assert stored() == {upload.name}

    def test_files_without_a_row_go_after_an_hour(self, user: User) -> None:
        upload = uploaded(user)
        StoredFile.objects.filter(pk=upload.pk).delete()
        kept = uploaded(user)
        start(user, kept)
        with time_machine.travel(timezone.now() + timedelta(minutes=58)):
            assert sweep_files() == 0
        with time_machine.travel(timezone.now() + timedelta(minutes=62)):
            assert sweep_files() == 1
        assert stored() == {kept.name}


def _killed(*_: object) -> None:
    raise Killed
