"""Qui a vu ce dossier ? by an identity that is typed: an officer of one organisation learns nothing of whom others follow."""

import json
from typing import Any

import httpx
import pytest

from liaison.auth.journal import audit_rights

from ...oauth.conftest import Place
from ..browsing import say, text

BIRTH = {"family": "LE GOFF", "birth": "1950-02-03", "reason": "Signalement", "qui": "personne"}
OUTSIDE, UNKNOWN, OWN = "Stranger", "Nobody", "Patient"


async def asked(officer: httpx.AsyncClient, path: str, given: str) -> httpx.Response:
    return await say(officer, path, given=given, **BIRTH)


async def entries(officer: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The lines of these questions, without what differs from any line to the next."""
    lines = [json.loads(line) for line in (await officer.get("/journal/export.ndjson")).text.splitlines()]
    found = [line for line in lines if any(one.get("name") == "unmask" for one in line.get("entity", ()))]
    for line in found:
        for name in ("id", "meta", "period", "recorded"):
            del line[name]
        line["entity"] = [one for one in line["entity"] if one["type"].get("code") != "XrequestId"]
    return found


@pytest.mark.parametrize("path", ["/journal", "/journal/repondre"])
async def test_known_elsewhere_and_unknown_are_alike(place: Place, officer: httpx.AsyncClient, path: str) -> None:
    answers = [await asked(officer, path, given) for given in (OUTSIDE, UNKNOWN, OUTSIDE)]  # the third: who asks again
    shown = [text(one).replace(OUTSIDE, "").replace(UNKNOWN, "") for one in answers]

    assert [one.status_code for one in answers] == [404, 404, 404]
    assert "Personne n'est connu" in shown[0]
    assert shown[0] == shown[1] == shown[2]
    first, second, third = await entries(officer)
    assert first == second == third
    assert (await asked(officer, path, OWN)).headers["location"].endswith(place.patient)


async def test_one_in_whose_record_somebody_of_theirs_was_is_found(place: Place, officer: httpx.AsyncClient) -> None:
    await place.house.database.writing.execute("update relation set valid_to = now()")

    assert (await asked(officer, "/journal", OWN)).headers["location"].endswith(place.patient)


async def test_a_leak_would_be_seen(place: Place, officer: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sibling: without the question of whom it is of interest to, the answer says that the person is known."""

    async def always(*_: object) -> bool:
        return True

    monkeypatch.setattr(audit_rights, "of_interest", always)

    assert (await asked(officer, "/journal", OUTSIDE)).status_code == 303
