"""The wizard, the gallery and one picture: as a browser without scripts sees them, and as htmx."""

from __future__ import annotations

import io
import json
import re
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from house.people import make_user, page_client
from markethall.content.imaging.models import Generation
from markethall.flows.generation import start_generation
from markethall.foundation.accounts.belongings import change_settings
from markethall.foundation.accounts.models import User
from markethall.foundation.files.actions import store_file
from markethall.foundation.files.models import RESULT, UPLOAD, StoredFile
from markethall.foundation.ledger.actions import capture_hold, release_hold
from markethall.foundation.ledger.queries import balance_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def photo(size: tuple[int, int] = (64, 48), colour: str = "orange") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


def upload_for(user: User, colour: str = "orange") -> StoredFile:
    content = photo(colour=colour)
    return store_file(content, purpose=UPLOAD, content_type="image/jpeg", owner_id=user.pk)


def ask(user: User, *, prompt: str = "", upload: StoredFile | None = None) -> Generation:
    upload = upload or upload_for(user)
    asked = start_generation(user_id=user.pk, upload_id=upload.pk, style="cute", prompt=prompt)
    return Generation.objects.get(pk=asked.pk)


def finish(picture: Generation) -> Generation:
    content = photo((64, 80))
    picture.result = store_file(
        content,
        purpose=RESULT,
        content_type="image/jpeg",
        owner_id=picture.user_id,
        width=64,
        height=80,
    )
    picture.status, picture.processing_ms = "completed", 1234
    picture.save()
    capture_hold(picture.hold_id)
    return picture


def fail(picture: Generation) -> Generation:
    picture.status, picture.error_message = "failed", "Too blurred. Take another photo."
    picture.save()
    release_hold(picture.hold_id, metadata={})
    return picture


def text(answer: Any) -> str:
    return answer.content.decode()


def form_of(page: str) -> dict[str, str]:
    """The hidden fields of the page's last form."""
    last = page[page.rindex("data-spends") :]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', last))
    return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}


@pytest.mark.parametrize(
    "path", ["create", "gallery", "history", "history/purchases", "settings", "account"]
)
def test_who_is_not_signed_in_is_led_to_the_door_and_back(client: Client, path: str) -> None:
    answer = client.get(f"/plushify/{path}")
    assert answer.headers["Location"] == f"/login?next=%2Fplushify%2F{path.replace('/', '%2F')}"


@pytest.mark.parametrize("act", ["favorite", "delete", "cancel"])
def test_an_act_of_who_is_not_signed_in_leads_to_a_page(client: Client, act: str) -> None:
    answer = client.post(f"/plushify/generations/{uuid4()}/{act}")
    assert answer.headers["Location"] == "/login?next=%2Fplushify%2Fgallery"


def test_a_photo_becomes_a_wish_step_by_step() -> None:
    ada = make_user()
    change_settings(user=ada, default_style="minimalist")
    browser = page_client(ada)
    file = SimpleUploadedFile("cat.jpg", photo(), "image/jpeg")
    sent = browser.post("/plushify/create/photo", {"file": file})
    upload = StoredFile.objects.get(owner_id=ada.pk)
    assert sent.headers["Location"] == f"/plushify/create?photo={upload.pk}"

    style = text(browser.get(sent.headers["Location"]))
    assert 'value="minimalist" checked' in style
    chosen = {"photo": upload.pk, "style": "cartoon-style"}
    assert "How big?" in text(browser.get("/plushify/create", chosen))
    chosen |= {"size": "large", "prompt": "Tom & Jerry"}
    review = text(browser.get("/plushify/create", chosen))
    assert "Tom &amp; Jerry" in review and "1024 px" in review

    form = {**form_of(review), "prompt": "Tom & Jerry"}
    made = browser.post("/plushify/create/make", form)
    picture = Generation.objects.get(user=ada)
    assert made.headers["Location"] == f"/plushify/generations/{picture.pk}"
    assert (picture.style, picture.size, picture.prompt) == (
        "cartoon-style",
        "large",
        "Tom & Jerry",
    )
    assert balance_of(ada.pk).held == 1


def test_a_double_click_makes_one_picture() -> None:
    ada = make_user(credits=5)
    browser, upload = page_client(ada), upload_for(ada)
    review = browser.get(
        "/plushify/create", {"photo": upload.pk, "style": "minimalist", "size": "small"}
    )
    form = form_of(text(review))
    first = browser.post("/plushify/create/make", form)
    second = browser.post("/plushify/create/make", form)
    assert first.headers["Location"] == second.headers["Location"]
    assert Generation.objects.count() == 1
    assert balance_of(ada.pk).balance == 4


@pytest.mark.parametrize(("headers", "status"), [({}, 402), (HTMX, 422)])
def test_without_credits_the_choices_stay_and_the_way_to_a_pack_is_shown(
    headers: dict[str, str], status: int
) -> None:
    ada = make_user(credits=0)
    upload = upload_for(ada)
    form = {"photo": upload.pk, "style": "minimalist", "size": "small", "key": "a"}
    answer = page_client(ada).post("/plushify/create/make", form, headers=headers)
    assert answer.status_code == status
    assert "Your credits are used up" in text(answer)
    assert 'href="/plushify/pricing"' in text(answer)
    told = json.loads(answer.headers["HX-Trigger"])
    assert told["balance"] == {"balance": 0, "held": 0}
    assert told["toast"]["toasts"][0]["actionUrl"] == "/plushify/pricing"
    assert not Generation.objects.exists()


@pytest.mark.parametrize(
    ("name", "content", "kind", "status"),
    [
        ("notes.txt", b"hello", "text/plain", 415),
        ("cat.jpg", b"\xff\xd8\xff\xe0broken", "image/jpeg", 422),
    ],
)
def test_a_file_that_is_no_photo_is_refused_with_a_reason(
    name: str, content: bytes, kind: str, status: int
) -> None:
    browser = page_client(make_user())

    def send(**headers: str) -> Any:
        file = SimpleUploadedFile(name, content, kind)
        return browser.post("/plushify/create/photo", {"file": file}, headers=headers)

    assert send().status_code == status
    by_htmx = send(**HTMX)
    assert (by_htmx.status_code, by_htmx.headers["HX-Push-Url"]) == (422, "false")
    assert re.search(r'data-dropzone-error role="alert">\w', text(by_htmx))
    assert browser.post("/plushify/create/photo").status_code == 422


def test_a_prompt_that_is_too_long_is_told_where_it_is_written() -> None:
    ada = make_user()
    upload = upload_for(ada)
    asked = {"photo": upload.pk, "style": "minimalist", "size": "small", "prompt": "x" * 501}
    page = text(page_client(ada).get("/plushify/create", asked))
    assert "That is 501 characters; 500 is the most." in page
    assert "How big?" in page


def test_an_earlier_photo_can_be_used_again_and_only_ones_own() -> None:
    ada, eve = make_user(), make_user()
    mine, twin = upload_for(ada), upload_for(ada)
    hers = upload_for(eve, "blue")
    page = text(page_client(ada).get("/plushify/create"))
    assert f"photo={twin.pk}" in page
    assert f"photo={mine.pk}" not in page  # the same photo once
    assert str(hers.pk) not in page
    for theirs in (hers.pk, "nonsense"):
        assert page_client(ada).get("/plushify/create", {"photo": theirs}).status_code == 404


def test_other_peoples_pictures_are_not_there() -> None:
    picture = finish(ask(make_user()))
    eve = page_client(make_user())
    base = f"/plushify/generations/{picture.pk}"
    for path in (base, f"{base}/view", f"{base}/status", f"{base}/download"):
        assert eve.get(path).status_code == 404
    for act in ("favorite", "delete", "cancel"):
        assert eve.post(f"{base}/{act}").status_code == 404
    picture.refresh_from_db()
    assert not picture.is_favorite
    assert str(picture.pk) not in text(eve.get("/plushify/gallery"))


def test_the_detail_page_follows_its_picture() -> None:
    ada = make_user()
    browser, picture = page_client(ada), ask(ada, prompt="Mittens")
    url = f"/plushify/generations/{picture.pk}"
    waiting = text(browser.get(url))
    assert "data-live-pending" in waiting and '<meta http-equiv="refresh"' in waiting
    finish(picture)
    ready = browser.get(f"{url}/view", headers=HTMX)
    assert "data-live-pending" not in text(ready)
    assert "data-before-after" in text(ready) and "1.2 seconds" in text(ready)
    assert json.loads(ready.headers["HX-Trigger"])["balance"] == {"balance": 9, "held": 0}


def test_a_failed_picture_says_why_and_leads_to_the_next_try() -> None:
    ada = make_user()
    picture = fail(ask(ada, prompt="Mittens"))
    page = text(page_client(ada).get(f"/plushify/generations/{picture.pk}"))
    assert "Too blurred. Take another photo." in page
    assert "Your credit is back" in page
    assert f"photo={picture.original_id}" in page


def test_favourite_turns_over_for_a_form_and_for_htmx() -> None:
    ada = make_user()
    browser, picture = page_client(ada), finish(ask(ada))
    url = f"/plushify/generations/{picture.pk}/favorite"
    here = "http://testserver/plushify/gallery?sort=oldest"
    assert browser.post(url, headers={"Referer": here}).headers["Location"] == here
    picture.refresh_from_db()
    assert picture.is_favorite
    elsewhere = browser.post(url, headers={"Referer": "https://evil.example/"})
    assert elsewhere.headers["Location"] == f"/plushify/generations/{picture.pk}"
    assert browser.post(url, headers=HTMX).status_code == 204


def test_deleting_takes_the_picture_its_files_and_its_card_away() -> None:
    ada = make_user()
    browser, picture = page_client(ada), finish(ask(ada))
    answer = browser.post(f"/plushify/generations/{picture.pk}/delete", headers=HTMX)
    assert (answer.status_code, answer.content) == (200, b"")
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]["toasts"][0]
    assert toast == {"level": "success", "text": "The picture is deleted."}
    assert not Generation.objects.exists() and not StoredFile.objects.exists()


def test_one_that_waits_can_be_cancelled_and_its_credit_comes_back() -> None:
    ada = make_user(credits=1)
    browser, picture = page_client(ada), ask(ada)
    answer = browser.post(f"/plushify/generations/{picture.pk}/cancel", follow=True)
    assert "Cancelled. Your credit is back." in text(answer)
    assert balance_of(ada.pk).balance == 1


def test_a_download_is_called_after_what_it_is() -> None:
    ada = make_user()
    browser, picture = page_client(ada), finish(ask(ada))
    link = browser.get(f"/plushify/generations/{picture.pk}/download").headers["Location"]
    assert link.startswith("/files/")
    assert "plush-cute-fluffy" in browser.get(link).headers["Content-Disposition"]


def test_a_card_shows_a_small_picture(client: Client) -> None:
    ada = make_user()
    finish(ask(ada))
    page = text(page_client(ada).get("/plushify/gallery"))
    (link,) = re.findall(r'src="(/files/[^"]+/preview)"', page)
    small = client.get(link)
    assert (small.status_code, small.headers["Content-Type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(b"".join(small.streaming_content))).size == (64, 80)
    assert client.get(link).status_code == 200


def test_the_gallery_keeps_its_filters_in_the_address() -> None:
    ada = make_user()
    cat, dog = finish(ask(ada, prompt="Mittens the cat")), fail(ask(ada, prompt="Rex"))
    browser = page_client(ada)
    found = text(browser.get("/plushify/gallery", {"q": "mitt"}))
    assert f"generation-{cat.pk}" in found and f"generation-{dog.pk}" not in found
    found = text(browser.get("/plushify/gallery", {"status": "failed"}))
    assert f"generation-{dog.pk}" in found and f"generation-{cat.pk}" not in found
    found = text(browser.get("/plushify/gallery", {"q": str(cat.pk)[:8]}))
    assert f"generation-{cat.pk}" in found
    oldest = text(browser.get("/plushify/gallery", {"sort": "oldest"}))
    assert oldest.index(str(cat.pk)) < oldest.index(str(dog.pk))
    browser.post(f"/plushify/generations/{cat.pk}/favorite")
    first = text(browser.get("/plushify/gallery", {"sort": "favorites"}))
    assert first.index(str(cat.pk)) < first.index(str(dog.pk))
    assert browser.get("/plushify/gallery", {"sort": "x", "status": "x"}).status_code == 200


def test_an_empty_gallery_and_an_empty_search_say_different_things() -> None:
    ada = make_user()
    browser = page_client(ada)
    assert "No pictures yet" in text(browser.get("/plushify/gallery"))
    ask(ada)
    assert "Nothing fits that" in text(browser.get("/plushify/gallery", {"q": "zebra"}))


def test_load_more_gives_the_next_cards_alone_to_htmx_and_a_page_to_others() -> None:
    ada = make_user(credits=30)
    upload = upload_for(ada)
    pictures = [ask(ada, upload=upload) for _ in range(23)]
    browser = page_client(ada)
    first = text(browser.get("/plushify/gallery", {"sort": "oldest"}))
    assert first.count('<article class="generation"') == 20
    (more,) = re.findall(r'hx-get="(/plushify/gallery\?[^"]*cursor[^"]*)"', first)
    more = more.replace("&amp;", "&")
    assert "sort=oldest" in more
    cards = text(browser.get(more, headers=HTMX))
    assert cards.count('<article class="generation"') == 3
    assert "<html" not in cards
    assert all(str(picture.pk) in cards for picture in pictures[20:])
    assert "<html" in text(browser.get(more))
    assert browser.get("/plushify/gallery", {"cursor": "forged"}).status_code == 422


def test_a_gallery_of_30_asks_no_more_than_a_gallery_of_1(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    ada = make_user(credits=40)
    browser, upload = page_client(ada), upload_for(ada)
    finish(ask(ada, upload=upload))
    with django_assert_max_num_queries(5) as one:
        browser.get("/plushify/gallery")
    for _ in range(29):
        finish(ask(ada, upload=upload))
    with django_assert_num_queries(len(one)):
        browser.get("/plushify/gallery")
