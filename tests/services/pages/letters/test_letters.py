"""Who is reached by no account and no address gets a letter: printed by their attending doctor, and said to be sent once."""

import html
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from babel.dates import format_date

from liaison.auth.access import internal, team_writing
from liaison.fhir.store.contract import Request
from liaison.services.pages.reading.moments import PARIS

from ...oauth.conftest import Place, field
from ..sheets.test_printing import words


async def told(place: Place, **patient: Any) -> None:
    """A notice about the nurse's patient, addressed to her, who is for once a general practitioner."""
    database = place.house.database
    await database.writing.execute("update held_role set role_code = 'gp' where role_code = 'nurse'")
    maker = await internal.open_session(database.writing, "sandbox")
    engine, path = place.house.engine, f"Patient/{place.patient}"
    tree = orjson.loads((await engine.handle(maker, Request("GET", path))).body)
    answer = await engine.handle(maker, Request("PUT", path, "", orjson.dumps({**tree, **patient})))
    assert answer.status == 200, answer.body
    practitioner = await database.reading.fetchval("select fhir_res from account where username = 'nurse'")
    role = await database.reading.fetchrow(
        "select role from held_role where practitioner = $1 and role_code = 'gp'", practitioner
    )
    found = orjson.loads((await engine.handle(maker, Request("GET", "PractitionerRole", "_count=50"))).body)["entry"]
    mine = next(
        f"PractitionerRole/{one['resource']['id']}"
        for one in found
        if (key := place.house.store.key("PractitionerRole", one["resource"]["id"])) and key.res == role["role"]
    )
    notice = team_writing.notice(path, "Un accès d'urgence a été ouvert.", mine, [mine], datetime.now(UTC))
    answer = await engine.handle(maker, Request("POST", "Communication", "", orjson.dumps(notice)))
    assert answer.status == 201, answer.body


async def test_a_letter_waits_is_printed_and_leaves_once(place: Place) -> None:
    await place.house.database.writing.execute("delete from account where username = 'patient'")
    here, before = {"line": ["2 rue du Four"], "postalCode": "56000", "city": "Kervanec"}, {"line": ["9 rue Perdue"]}
    await told(place, address=[{**before, "use": "old"}, {**before, "period": {"end": "2020-01-31"}}, here])
    async with place.signed_in() as doctor:
        assert "1 lettre à envoyer" in (await doctor.get("/dossiers")).text
        page = await doctor.get("/lettres")
        assert "Un accès d'urgence a été ouvert." in html.unescape(page.text)
        letter = page.text.partition('href="/lettres/')[2].partition('"')[0]
        printed = words((await doctor.get(f"/lettres/{letter}")).content)
        for line in ("Patient LE GOFF", "2 rue du Four", "56000 Kervanec", "Camille NURSE"):
            assert line in printed
        assert "Perdue" not in printed
        told_on = format_date(datetime.now(UTC).astimezone(PARIS).date(), "MMMM y", locale="en")
        assert told_on in words((await doctor.get(f"/lettres/{letter}?lang=en")).content)

        form = {"csrf": field(page.text, "csrf")}
        assert (await doctor.post(f"/lettres/{letter}/envoyee", data=form)).status_code == 303
        assert "Aucune lettre n'attend" in html.unescape((await doctor.get("/lettres?lang=fr")).text)
        assert (await doctor.get(f"/lettres/{letter}")).status_code == 404


@pytest.mark.parametrize("how", ["account", "email"])
async def test_who_is_reached_otherwise_needs_no_letter(place: Place, how: str) -> None:
    more: dict[str, Any] = {}
    if how == "email":
        await place.house.database.writing.execute("delete from account where username = 'patient'")
        more = {"telecom": [{"system": "email", "value": "personne@example.org"}]}
    await told(place, **more)
    async with place.signed_in() as doctor:
        assert "lettre à envoyer" not in (await doctor.get("/dossiers")).text


async def test_another_doctor_has_no_such_letter(place: Place) -> None:
    async with place.signed_in() as nurse:
        assert (await nurse.get("/lettres")).status_code == 404
