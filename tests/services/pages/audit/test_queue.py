"""The queue of accesses to review: every one that waits is on it, and the numbers are of all of them."""

import re
from typing import Any

import httpx
import orjson
import pytest

from liaison.auth.access import internal, vocabulary
from liaison.auth.caller import Caller
from liaison.fhir.store.contract import Request
from liaison.services.pages.audit import counts, reviews

from ...oauth.conftest import Place
from ..browsing import text


def task(place: Place, status: str, day: str, outcome: str = "") -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "status": status,
        "intent": "order",
        "code": {"coding": [{"system": vocabulary.REVIEW, "code": "emergency-access"}]},
        "for": {"reference": f"Patient/{place.patient}"},
        "authoredOn": f"{day}T10:00:00Z",
        **({"businessStatus": {"coding": [{"system": vocabulary.REVIEW, "code": outcome}]}} if outcome else {}),
    }


async def written(place: Place, maker: Caller, trees: list[dict[str, Any]]) -> None:
    entries = [{"resource": tree, "request": {"method": "POST", "url": "Task"}} for tree in trees]
    for start in range(0, len(entries), 150):
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries[start : start + 150]}
        made = await place.house.engine.handle(maker, Request("POST", "", "", orjson.dumps(bundle), {}))
        assert made.status == 200, made.body


async def cells(officer: httpx.AsyncClient) -> list[int]:
    """The numbers of the one structure there is: what waits, then each outcome."""
    page = (await officer.get(counts.PATH)).text
    return [int(one) for one in re.findall(r'<td[^>]*data-heading="[^"]*">(\d+)</td>', page)]


async def test_what_was_settled_since_hides_nothing_that_waits(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = await internal.open_session(place.house.database.writing, "identity")
    days = (("requested", "2026-11-01"), ("completed", "2026-11-02"), ("completed", "2026-11-03"))
    await written(place, maker, [task(place, *one) for one in days])
    monkeypatch.setattr(reviews, "MOST", 1)

    async with place.signed_in("dpo") as officer:
        assert "1 accès attend un avis" in text(await officer.get(reviews.PATH))


async def test_the_numbers_are_of_more_than_the_list_holds(place: Place) -> None:
    maker = await internal.open_session(place.house.database.writing, "identity")
    settled = [task(place, "completed", "2026-10-01", "justified")] * (reviews.MOST + 5)
    await written(place, maker, [task(place, "requested", "2026-11-01"), *settled])

    async with place.signed_in("dpo") as officer:
        assert (await cells(officer))[:2] == [1, reviews.MOST + 5]
