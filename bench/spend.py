"""P1: asking for a picture until it is accepted."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from typing import Any

from bench import against, pgbench, rows
from bench.figures import Figure
from bench.people import Person, client, make, open_hall

_PEOPLE = 48
PATH = "/api/images/generate"


def run() -> Iterator[Figure]:
    with open_hall() as hall:
        people = make(_PEOPLE)
        uploads = {person: upload(person) for person in people}
        with hall.workers_paused():
            scripts = [_script(person, uploads[person]) for person in people]

            def requests(index: int, number: int) -> bytes:
                person = people[(index + number * against.CONNECTIONS) % _PEOPLE]
                key = str(uuid.uuid4())
                wish = _wish(uploads[person])
                return person.post(PATH, wish, port=hall.port, Idempotency_Key=key)

            measured = against.measure(hall, requests, scripts)
            rows.drop_waiting_pictures()
        for load in measured.loads:
            against.must_be(load, 202)
        p95 = max(load.latency(0.95) for load in measured.loads) * 1000
        yield Figure("P1", "spend: POST /api/images/generate ÷ pgbench of its SQL",
                     measured.ratio, "", target=0.5, note=measured.note)  # fmt: skip
        how = f"{against.CONNECTIONS} connections, p95 {p95:.0f} ms, workers paused"
        yield Figure("P1", "accepted", measured.per_second, "requests/s", note=how)


def upload(person: Person) -> str:
    """Upload a small picture; its id."""
    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    picture = io.BytesIO()
    Image.effect_noise((96, 96), 60).convert("RGB").save(picture, "PNG")
    file = SimpleUploadedFile("bench.png", picture.getvalue(), "image/png")
    answer = client(person).post("/api/images/upload", {"file": file})
    if answer.status_code != 201:
        raise RuntimeError(f"upload answered {answer.status_code}: {answer.content[:300]!r}")
    return str(answer.json()["id"])


def _script(person: Person, upload_id: str) -> str:
    api = client(person)

    def ask() -> None:
        answer = api.post(
            PATH,
            json.dumps(_wish(upload_id)),
            content_type="application/json",
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        if answer.status_code != 202:
            raise RuntimeError(f"answered {answer.status_code}: {answer.content[:300]!r}")

    ask()
    return pgbench.recorded_script(ask)


def _wish(upload_id: str) -> dict[str, Any]:
    return {
        "uploadId": upload_id,
        "style": "cute-fluffy",
        "size": "medium",
        "prompt": "sitting on a shelf",
    }
