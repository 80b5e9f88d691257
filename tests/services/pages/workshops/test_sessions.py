"""Séances: planned, filled, held. Nobody is put on a list twice, nor beyond its places; a number is told, never a name."""

import asyncio
import html
import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import orjson
import pytest
from icalendar import Calendar

from liaison.auth.access import internal, vocabulary
from liaison.fhir.store.contract import Request
from liaison.protocols.apply import propose
from liaison.protocols.carry_out import carry_out
from liaison.protocols.library import shipped
from liaison.services.pages.clock import PARIS
from liaison.services.pages.record import Record
from liaison.services.pages.workshops import acting

from ...oauth.conftest import Place, field
from ..browsing import text, today

PROGRAMME = "https://liaison.example/fhir/PlanDefinition/bpco-etp"


async def ask(place: Place, method: str, path: str, tree: dict[str, Any] | None = None, query: str = "") -> Any:
    """As the territory's maker."""
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    body = orjson.dumps(tree) if tree else b""
    answer = await place.house.engine.handle(
        maker, Request(method, path, query, body, {"prefer": "return=representation"})
    )
    assert answer.status in (200, 201), answer.body
    return orjson.loads(answer.body)


async def found(place: Place, type_: str, query: str) -> list[dict[str, Any]]:
    return [one["resource"] for one in (await ask(place, "GET", type_, query=query)).get("entry", [])]


@pytest.fixture
async def room(place: Place) -> str:
    """A place, and the patient in the programme since two months."""
    made = await ask(place, "POST", "Location", {"resourceType": "Location", "status": "active", "name": "Salle"})
    await enter(place, place.patient)
    return f"Location/{made['id']}"


async def enter(place: Place, patient: str) -> None:
    on = date.fromisoformat(today()) - timedelta(days=60)
    proposal = propose(shipped(), PROGRAMME, f"Patient/{patient}", [], on)
    at = place.house.database.clock.now()
    await ask(place, "POST", "", carry_out(proposal, {"display": "Coordinatrice"}, at))


async def plan(browser: httpx.AsyncClient, room: str, days: int, **more: str) -> httpx.Response:
    """A session of the first workshop, so many days from now."""
    page = (await browser.get("/seances/nouvelle")).text
    workshop = html.unescape(re.findall(r'<option value="([^"]+#session-1)"', page)[0])
    mine = re.findall(r'name="held_by" type="checkbox" value="([^"]+)"', page)[0]
    day = (date.fromisoformat(today()) + timedelta(days=days)).isoformat()
    form = {"workshop": workshop, "day": day, "at": "14:00", "duration": "90", "capacity": "8", "place": room}
    return await browser.post("/seances/nouvelle", data={"csrf": field(page, "csrf"), "held_by": mine, **form, **more})


async def act(browser: httpx.AsyncClient, path: str, **form: str) -> httpx.Response:
    return await browser.post(path, data={"csrf": field((await browser.get(path)).text, "csrf"), **form})


async def enrol(browser: httpx.AsyncClient, path: str) -> httpx.Response:
    """Everybody who is proposed."""
    page = (await browser.get(path)).text
    steps = re.findall(r'name="step" type="checkbox" value="([^"]+)"', page)
    return await browser.post(path, data={"csrf": field(page, "csrf"), "act": "enrol", "step": steps})


WRONG = (
    {"workshop": ""},
    {"day": "demain"},
    {"at": ""},
    {"day": "2020-01-01"},
    {"duration": "5"},
    {"duration": "90 min"},
    {"capacity": "0"},
    {"capacity": "٨"},
    {"place": ""},
    {"held_by": "PractitionerRole/invented"},
)


async def test_what_a_session_lacks_is_said_and_nothing_is_made(place: Place, room: str) -> None:
    async with place.signed_in() as nurse:
        for wrong in WRONG:
            answer = await plan(nurse, room, 7, **wrong)
            assert answer.status_code == 422, wrong
            assert "Ce n’est pas enregistré" in answer.text

    assert await found(place, "Slot", "") == []


async def test_from_the_list_to_who_came(place: Place, room: str) -> None:
    async with place.signed_in() as nurse:
        path = (await plan(nurse, room, -1)).headers["location"]
        assert "0 sur 8 places" in text(await nurse.get("/seances"))
        assert "Patient LE GOFF" in text(await nurse.get(path))
        assert (await act(nurse, path, act="enrol")).status_code == 422  # nobody chosen
        assert (await enrol(nurse, path)).status_code == 303

        shown = await nurse.get(path)
        assert "1 sur 8 places" in text(shown)
        assert "Personne de votre cohorte n’attend cet atelier" in text(shown)
        appointment = field(shown.text, "appointment")
        assert (await act(nurse, path, act="came", appointment=appointment)).status_code == 303

        (step,) = [
            one for one in await found(place, "Task", "status=completed") if one["description"][:9] == "Atelier 1"
        ]
        day = (date.fromisoformat(today()) - timedelta(days=1)).isoformat()
        assert step["executionPeriod"] == {"start": day, "end": day}
        assert [one["status"] for one in await found(place, "Appointment", "")] == ["fulfilled"]
        shown = await nurse.get(path)
        assert "Expliquer avec ses mots sa maladie" in text(shown)
        assert (await act(nurse, path, act="goal", goal=field(shown.text, "goal"))).status_code == 303
        assert "Objectif atteint" in text(await nurse.get(path))
        assert 'name="goal"' not in (await nurse.get(path)).text
        # Once done, it is not undone by one touch of another.
        assert (await act(nurse, path, act="missed", appointment=appointment)).status_code == 422


async def test_who_did_not_come_is_proposed_for_the_next(place: Place, room: str) -> None:
    async with place.signed_in() as nurse:
        path = (await plan(nurse, room, -1)).headers["location"]
        await enrol(nurse, path)
        next_ = (await plan(nurse, room, 14)).headers["location"]
        assert 'name="step"' not in (await nurse.get(next_)).text  # has a place already
        calendar = await nurse.get(f"{next_}/agenda")
        (event,) = Calendar.from_ical(calendar.content).walk("VEVENT")
        assert (str(event["SUMMARY"])[:9], str(event["LOCATION"])) == ("Atelier 1", "Salle")
        assert event.decoded("dtstart").astimezone(PARIS).hour == 14
        assert b"TZID" not in calendar.content, "a zone that the file does not describe"
        assert "LE GOFF" not in calendar.text

        await act(nurse, path, act="missed", appointment=field((await nurse.get(path)).text, "appointment"))

        assert "absent la dernière fois" in text(await nurse.get(next_))
        assert (await enrol(nurse, next_)).status_code == 303
        assert "mailto:" not in (await nurse.get(next_)).text
        patient = await ask(place, "GET", f"Patient/{place.patient}")
        await ask(place, "PUT", f"Patient/{place.patient}", {**patient, "telecom": [{"system": "email", "value": "goff+a&b@example.org"}]})  # fmt: skip
        written = urlsplit(html.unescape(re.findall(r'href="(mailto:[^"]+)"', (await nurse.get(next_)).text)[0]))
        assert unquote(written.path) == "goff+a&b@example.org"
        told = parse_qs(written.query)
        assert told["subject"] == ["Un message vous attend"]
        assert "Atelier" not in told["body"][0]
        printed = await nurse.get(f"{next_}/convocations")
        assert printed.headers["content-type"] == "application/pdf"
        early = await act(nurse, next_, act="came", appointment=field((await nurse.get(next_)).text, "appointment"))
        assert early.status_code == 422  # it has not begun


async def test_a_session_that_is_not_held_tells_those_on_its_list(place: Place, room: str) -> None:
    async with place.signed_in() as nurse:
        path = (await plan(nurse, room, 7)).headers["location"]
        await enrol(nurse, path)
        assert (await act(nurse, path, act="cancel", reason=" ")).status_code == 422
        assert (await act(nurse, path, act="cancel", reason="Salle inondée")).status_code == 303

        (appointment,) = await found(place, "Appointment", "")
        assert (appointment["status"], appointment["cancelationReason"]["text"]) == ("cancelled", "Salle inondée")
        assert "Annulée" in text(await nurse.get("/seances"))
        assert (await nurse.get(f"{path}/convocations")).status_code == 404
        assert (await enrol(nurse, path)).status_code == 422


async def test_the_last_place_is_given_once_and_others_are_counted_without_a_name(
    place: Place, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enter(place, place.other_patient)
    async with place.signed_in() as nurse, place.signed_in() as again:
        path = (await plan(nurse, room, 7, capacity="1")).headers["location"]

        # Each has counted the places before either writes.
        counted, write = asyncio.Barrier(2), acting._together

        async def after_both(record: Record, entries: list[dict[str, Any]]) -> None:
            await counted.wait()
            await write(record, entries)

        monkeypatch.setattr(acting, "_together", after_both)
        both = await asyncio.gather(enrol(nurse, path), enrol(again, path))

        assert sorted(one.status_code for one in both) == [303, 412]
        assert len(await found(place, "Appointment", "")) == 1
        (mine,) = await found(place, "Appointment", "")
        # Somebody whom the nurse does not follow has a place: a colleague of the structure put them there.
        theirs = {
            **mine,
            "participant": [{"actor": {"reference": f"Patient/{place.other_patient}"}, "status": "accepted"}],
        }
        await ask(
            place,
            "POST",
            "Appointment",
            {name: part for name, part in theirs.items() if name not in ("id", "meta", "supportingInformation")},
        )
        shown = await nurse.get(path)
        assert "2 sur 1 place " in text(shown)
        assert "dont 1 que vous ne suivez pas" in text(shown)
        assert "Stranger" not in shown.text


async def test_it_is_for_who_holds_sessions(place: Place, room: str) -> None:
    async with place.signed_in() as nurse:
        offered = (await nurse.get("/seances/nouvelle")).text
        path = (await plan(nurse, room, 7)).headers["location"]
        assert (await nurse.get("/seances/" + "0" * 32)).status_code == 404
    roles = {
        one["code"][0]["coding"][0]["code"]: one["id"] for one in await found(place, "PractitionerRole", "_count=50")
    }
    assert f"PractitionerRole/{roles['nurse']}" in offered
    assert f"PractitionerRole/{roles['dpo']}" not in offered
    for who in ("dpo", "admin", "patient"):
        async with place.signed_in(who) as other:
            for address in ("/seances", "/seances/nouvelle", path, f"{path}/convocations", f"{path}/agenda"):
                assert (await other.get(address)).status_code == 404, (who, address)


async def test_how_they_come_and_whose_first_name_may_be_given_is_one_touch_each(place: Place, room: str) -> None:
    async with place.signed_in() as nurse:
        path = (await plan(nurse, room, 7)).headers["location"]
        await enrol(nurse, path)
        for sheet in ("transports", "prenoms"):
            assert (await nurse.get(f"{path}/{sheet}")).status_code == 404  # nobody to be fetched, nobody has agreed
        appointment = field((await nurse.get(path)).text, "appointment")
        for words in ("Transport à prévoir", "Transport prévu"):
            await act(nurse, path, act="transport", appointment=appointment)
            assert words in text(await nurse.get(path))
        driver = await nurse.get(f"{path}/transports")
        assert driver.headers["content-type"] == "application/pdf"
        assert b"LE GOFF".hex().encode() in driver.content
        assert b"BPCO".hex().encode() not in driver.content

        await act(nurse, path, act="first-name", appointment=appointment)
        names = await nurse.get(f"{path}/prenoms")
        assert b"Patient".hex().encode() in names.content
        assert b"GOFF".hex().encode() not in names.content
        await act(nurse, path, act="first-name", appointment=appointment)
        assert (await nurse.get(f"{path}/prenoms")).status_code == 404


async def employ(place: Place) -> None:
    """A secretary for whom one of the nurses answers, with the password of everybody."""
    [known] = await found(place, "Practitioner", "family=NURSE")
    [nurse] = await found(place, "PractitionerRole", f"practitioner=Practitioner/{known['id']}")
    person = await ask(place, "POST", "Practitioner", {"resourceType": "Practitioner", "name": [{"family": "ALLANO"}]})
    role = {
        "resourceType": "PractitionerRole",
        "active": True,
        "extension": [{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": f"PractitionerRole/{nurse['id']}"}}],
        "practitioner": {"reference": f"Practitioner/{person['id']}"},
        "organization": nurse["organization"],
        "period": {"start": "2020-01-01"},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": "secretary"}]}],
    }
    await ask(place, "POST", "PractitionerRole", role)
    key = place.house.store.key("Practitioner", person["id"])
    assert key is not None
    await place.house.database.writing.execute(
        "insert into account (account, username, password, fhir_kind, fhir_patient, fhir_res)"
        " select 99, 'secretary', password, $1, $2, $3 from account where username = 'nurse'",
        *(key.kind, key.patient, key.res),
    )


async def test_who_sees_no_plan_keeps_the_list_and_an_educator_ends_the_step(place: Place, room: str) -> None:
    async with place.signed_in() as nurse:
        path = (await plan(nurse, room, -1)).headers["location"]
        await employ(place)
        async with place.signed_in("secretary") as secretary:
            shown = await secretary.get(path, params={"nom": "le g"})
            assert "Patient LE GOFF" in text(shown)
            for hidden in ("Objectif", "en retard", "/plan"):
                assert hidden not in shown.text
            patient = field(shown.text, "patient")
            assert (await act(secretary, path, act="enrol-name", patient="0" * 32)).status_code == 422
            page = (await secretary.get(path)).text
            form = {"csrf": field(page, "csrf"), "act": "enrol-name", "patient": patient}
            assert (await secretary.post(path, data=form)).status_code == 303
            appointment = field((await secretary.get(path)).text, "appointment")
            assert (await act(secretary, path, act="came", appointment=appointment)).status_code == 303
            assert (await act(secretary, path, act="finish", appointment=appointment)).status_code == 422

        assert await found(place, "Task", "status=completed") == []
        shown = await nurse.get(path)
        assert "Son étape n’est pas notée comme faite" in text(shown)
        assert 'name="step"' not in shown.text  # on the list already
        assert (await act(nurse, path, act="finish", appointment=appointment)).status_code == 303
        [step] = await found(place, "Task", "status=completed")
        assert step["description"][:9] == "Atelier 1"
        assert "Son étape n’est pas notée" not in text(await nurse.get(path))
