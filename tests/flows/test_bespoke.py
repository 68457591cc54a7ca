"""Somebody wishes for a piece, and is answered."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from house.people import ApiClient, client_for, make_user, page_client
from markethall.flows import bespoke
from markethall.foundation.files.models import StoredFile
from markethall.foundation.messaging.models import Mail
from markethall.kernel import clock
from markethall.trade.leads import rules
from markethall.trade.leads.models import Lead, LeadPicture

pytestmark = pytest.mark.django_db

WISH = {
    "name": "Ada Lovelace",
    "email": "Ada@Example.com",
    "notes": "A ring from my grandmother's brooch.",
    "budget": {"amount": 450_000, "currency": "USD"},
    "wantedBy": "2027-06-01",
}


def picture() -> BytesIO:
    content = BytesIO()
    Image.new("RGB", (64, 48), (200, 120, 60)).save(content, "JPEG")
    content.seek(0)
    content.name = "brooch.jpg"
    return content


def asked(client: ApiClient | None = None, **more: Any) -> Any:
    return (client or ApiClient()).post("/api/bespoke", {**WISH, **more})


def link_in(mail: Mail) -> str:
    found = re.search(r"http\S+(/bespoke/\S+)", mail.text)
    assert found
    return found[1]


def test_a_visitor_asks_and_both_sides_get_a_mail() -> None:
    admin = make_user(role="admin")
    answer = asked()

    assert answer.status_code == 201
    assert answer.json()["status"] == "new"
    assert {(mail.template, mail.to) for mail in Mail.objects.all()} == {
        ("bespoke_received", "ada@example.com"),
        ("bespoke_notice", admin.email),
    }


def test_pictures_are_uploaded_first_and_sent_once() -> None:
    admin = client_for(make_user(role="admin"))
    sent = ApiClient().upload("/api/bespoke/pictures", file=picture()).json()
    lead = asked(pictures=[sent["id"]]).json()

    assert len(admin.get(f"/api/bespoke/{lead['id']}").json()["pictures"]) == 1
    again = asked(pictures=[sent["id"]])
    assert (again.status_code, again.json()["code"]) == (422, "picture_unknown")
    assert Lead.objects.count() == 1


def test_somebody_elses_upload_is_no_reference_picture(db: None) -> None:
    owner = make_user()
    upload = client_for(owner).upload("/api/images/upload", file=picture()).json()
    assert asked(pictures=[upload["id"]]).status_code == 422


def test_pictures_that_were_never_sent_are_swept() -> None:
    kept = ApiClient().upload("/api/bespoke/pictures", file=picture()).json()
    asked(pictures=[kept["id"]])
    ApiClient().upload("/api/bespoke/pictures", file=picture())
    LeadPicture.objects.update(added_at=clock.now() - timedelta(days=2))

    assert bespoke.sweep_unsent_pictures() == 1
    assert [str(file.pk) for file in StoredFile.objects.all()] == [kept["id"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", "ada,grace@example.com"),
        ("email", "x<ada@example.com"),
        ("notes", ""),
        ("notes", "x" * 4001),
        ("budget", {"amount": 0, "currency": "USD"}),
        ("budget", {"amount": 5, "currency": "XXQ"}),
        ("name", ""),
    ],
)
def test_what_cannot_be_read_is_refused_by_field(field: str, value: Any) -> None:
    answer = asked(**{field: value})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"].startswith(field)
    assert not Lead.objects.exists()


def test_nobodys_address_is_written_to_over_and_over() -> None:
    answers = [asked(email=name).status_code for name in ["ada@example.com", "ADA@Example.com"] * 6]
    assert answers == [201] * 10 + [429] * 2
    assert Mail.objects.filter(to="ada@example.com").count() == 10
    assert asked(email="grace@example.com").status_code == 201


def test_staff_answers_by_mail_and_the_customer_writes_back() -> None:
    staff = make_user(role="admin", name="Grace")
    lead_id = asked().json()["id"]
    client = client_for(staff)

    detail = client.post(f"/api/bespoke/{lead_id}/messages", {"body": "Come by on Thursday."})
    assert (detail.status_code, detail.json()["status"]) == (201, "in_progress")
    assert not detail.json()["awaitsStaff"]
    mail = Mail.objects.get(template="bespoke_reply")
    assert "Come by on Thursday." in mail.text

    page = link_in(mail)
    browser = page_client(make_user())
    assert "Come by on Thursday." in browser.get(page).content.decode()
    assert browser.post(f"{page}/answer", {"body": "Gladly."}).status_code == 303
    assert client.get(f"/api/bespoke/{lead_id}").json()["awaitsStaff"]
    assert Mail.objects.filter(template="bespoke_notice").count() == 2


def test_a_note_stays_with_staff() -> None:
    client = client_for(make_user(role="admin"))
    lead_id = asked().json()["id"]
    client.post(f"/api/bespoke/{lead_id}/messages", {"body": "Is she kin?", "isInternal": True})

    page = link_in(Mail.objects.get(template="bespoke_received"))
    assert "Is she kin?" not in ApiClient().get(page).content.decode()
    assert not Mail.objects.filter(template="bespoke_reply").exists()
    senders = [each["from"] for each in client.get(f"/api/bespoke/{lead_id}").json()["messages"]]
    assert senders == ["note"]


def test_a_link_that_is_not_ours_opens_nothing() -> None:
    asked()
    page = link_in(Mail.objects.get(template="bespoke_received"))
    assert ApiClient().get(page + "x").status_code == 404
    assert ApiClient().get("/bespoke/anything").status_code == 404


def test_what_cannot_be_sent_stays_in_the_form() -> None:
    asked()
    page = link_in(Mail.objects.get(template="bespoke_received"))
    answer = page_client(make_user()).post(f"{page}/answer", {"body": "y" * 4001})
    assert answer.status_code == 422
    assert "y" * 4001 in answer.content.decode()


def test_it_is_given_only_to_who_may_look_after_it() -> None:
    admin, customer = make_user(role="admin"), make_user()
    client = client_for(admin)
    lead_id = asked().json()["id"]

    given = client.put(f"/api/bespoke/{lead_id}", {"assigneeId": str(admin.pk), "status": "quoted"})
    assert (given.json()["assigneeId"], given.json()["status"]) == (str(admin.pk), "quoted")
    refused = client.put(f"/api/bespoke/{lead_id}", {"assigneeId": str(customer.pk)})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_assignable")
    nobody = client.put(f"/api/bespoke/{lead_id}", {"assigneeId": None})
    assert (nobody.json()["assigneeId"], nobody.json()["status"]) == (None, "quoted")


def test_the_same_key_asks_once() -> None:
    client = ApiClient()
    first, second = (
        client.post("/api/bespoke", WISH, headers={"Idempotency-Key": "a"}) for _ in range(2)
    )
    assert first.json() == second.json()
    assert Lead.objects.count() == 1


def test_the_console_shows_and_answers() -> None:
    staff = make_user(role="admin")
    lead_id = asked().json()["id"]
    browser = page_client(staff)

    assert "Ada Lovelace" in browser.get("/console/leads?turn=us").content.decode()
    place = f"/console/leads/{lead_id}"
    assert "grandmother" in browser.get(place).content.decode()
    browser.post(f"{place}/reply", {"body": "Yes.", "as": "mail"})
    browser.post(f"{place}/change", {"status": "won", "assignee": str(staff.pk)})
    lead = Lead.objects.get()
    assert (lead.status, lead.assignee_id) == ("won", staff.pk)
    assert browser.post(f"{place}/change", {"assignee": "nobody"}).status_code == 422


def test_a_link_lasts_while_somebody_writes(turn_clock: Any) -> None:
    lead_id = asked().json()["id"]
    page = link_in(Mail.objects.get(template="bespoke_received"))
    turn_clock(rules.OPEN - timedelta(days=1))
    assert ApiClient().get(page).status_code == 200
    assert (
        page_client(make_user()).post(f"{page}/answer", {"body": "Still there?"}).status_code == 303
    )
    turn_clock(rules.OPEN - timedelta(days=1))
    assert ApiClient().get(page).status_code == 200

    client = client_for(make_user(role="admin"))
    client.post(f"/api/bespoke/{lead_id}/messages", {"body": "Kin of hers.", "isInternal": True})
    turn_clock(timedelta(days=2))
    shown = ApiClient().get(page)
    assert shown.status_code == 410
    assert "brooch" not in shown.content.decode()


def test_what_is_written_by_a_link_that_has_ended_is_not_lost(turn_clock: Any) -> None:
    lead_id = asked().json()["id"]
    page = link_in(Mail.objects.get(template="bespoke_received"))
    client = client_for(make_user(role="admin"))
    assert client.put(f"/api/bespoke/{lead_id}", {"status": "lost"}).status_code == 200
    turn_clock(rules.CLOSED - timedelta(days=1))
    assert ApiClient().get(page).status_code == 200
    turn_clock(timedelta(days=1))

    answer = page_client(make_user()).post(f"{page}/answer", {"body": "A platinum band after all"})
    assert answer.status_code == 410
    assert "A platinum band after all" in answer.content.decode()
    assert Lead.objects.get().messages.count() == 0


def test_a_new_link_is_mailed_and_lasts_a_week_at_least(turn_clock: Any) -> None:
    asked()
    turn_clock(rules.OPEN)
    browser = page_client(make_user())
    assert browser.post("/bespoke/link", {"email": " ADA@example.com "}).status_code == 303
    page = link_in(Mail.objects.get(template="bespoke_link", to="ada@example.com"))
    turn_clock(rules.FRESH - timedelta(hours=1))
    assert ApiClient().get(page).status_code == 200
    turn_clock(timedelta(hours=1))
    assert ApiClient().get(page).status_code == 410


def test_who_asks_for_a_link_does_not_learn_who_asked_for_a_piece() -> None:
    asked()
    browser = page_client(make_user())
    told = []
    for email in ("ada@example.com", "grace@example.com"):
        answers = [browser.post("/bespoke/link", {"email": email}) for _ in range(5)]
        told.append([(each.status_code, each["Location"]) for each in answers])
    assert told == [[(303, "/bespoke/link?sent")] * 5] * 2
    assert Mail.objects.filter(template="bespoke_link").count() == 3
    assert not Mail.objects.filter(to="grace@example.com").exists()
    assert browser.post("/bespoke/link", {"email": "nobody"}).status_code == 422
