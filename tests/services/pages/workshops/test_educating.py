"""The patient educator of a session: first names of those who agreed, a number for the others, and nothing else of anybody."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from liaison.auth.access import educators, internal, masking, oppositions, vocabulary
from liaison.auth.people import browsers
from liaison.fhir.store.contract import Request
from liaison.protocols import codes
from liaison.protocols.workshops import educators as named
from liaison.services.pages import cookies
from liaison.services.pages.audit.tasks_said import TASKS
from liaison.services.pages.workshops import educating

from ...oauth.conftest import Place, field
from ..browsing import text
from .test_sessions import act, ask, enrol, found, plan, room

__all__ = ["room"]
APPROVED = {"url": vocabulary.APPROVED, "valuePeriod": {"start": "2020-01-01"}}
TRAINED = {
    "code": {"coding": [{"system": vocabulary.DIRECTORY, "code": vocabulary.TRAINED}]},
    "period": {"start": "2021-03-01"},
}


async def account(place: Place, number: int, name: str, *, trained: bool = True) -> str:
    """A patient educator of an approved association, with the password of everybody. Gives the PractitionerRole."""
    association = await ask(
        place, "POST", "Organization", {"resourceType": "Organization", "active": True, "name": "Souffles", "extension": [APPROVED]}
    )  # fmt: skip
    tree = {"resourceType": "Practitioner", "active": True, "name": [{"family": name.upper(), "given": [name]}]}
    person = await ask(place, "POST", "Practitioner", {**tree, "qualification": [TRAINED]} if trained else tree)
    role = {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": f"Practitioner/{person['id']}"},
        "organization": {"reference": f"Organization/{association['id']}"},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": "patient-educator"}]}],
    }
    made = await ask(place, "POST", "PractitionerRole", role)
    key = place.house.store.key("Practitioner", person["id"])
    assert key is not None
    await place.house.database.writing.execute(
        "insert into account (account, username, password, fhir_kind, fhir_patient, fhir_res)"
        " select $4, $5, password, $1, $2, $3 from account where username = 'nurse'",
        *(key.kind, key.patient, key.res, number, name),
    )
    return f"PractitionerRole/{made['id']}"


async def by_fhir(place: Place, browser: httpx.AsyncClient, path: str, query: str = "") -> tuple[int, Any]:
    """As whoever is signed in there, whatever their software asks for."""
    signed = await browsers.find(place.house.database.reading, browser.cookies[f"__Host-{cookies.SESSION}"])
    assert signed is not None
    answer = await place.house.engine.handle(signed.caller, Request("GET", path, query))
    return answer.status, orjson.loads(answer.body)


@contextmanager
def planted(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, value: object) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, value)
        yield


async def _nobody_opposed(*_: object) -> bool:
    return False


async def _nothing_masked(*_: object) -> dict[str, object]:
    return {}


async def test_first_names_of_those_who_agreed_and_nothing_else(
    place: Place, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await account(place, 90, "yannick")
    await account(place, 91, "untaught", trained=False)
    async with place.signed_in() as nurse, place.signed_in("yannick") as educator:

        async def shown() -> str:
            answer = await educator.get("/mes-seances")
            assert answer.status_code == 200
            assert "LE GOFF" not in answer.text
            return text(answer)

        path = (await plan(nurse, room, 7)).headers["location"]
        await enrol(nurse, path)
        assert "nommé pour aucune séance" in await shown()

        page = await nurse.get(path)
        assert "untaught UNTAUGHT ne peut pas être nommé" in text(page)
        assert reference in page.text
        for wrong in ("", "PractitionerRole/invented"):
            assert (await act(nurse, path, act="educator", educator=wrong)).status_code == 422
        assert (await act(nurse, path, act="educator", educator=reference)).status_code == 303
        assert "Salle" in await shown()
        assert "1 personne inscrite, sans accord" in await shown()
        assert "Patient" not in (await educator.get("/mes-seances")).text.split("<main")[1]
        with planted(monkeypatch, educating, "noted", lambda *_: True):
            assert "<li>Patient</li>" in (await educator.get("/mes-seances")).text

        appointment = field(page.text, "appointment")
        await act(nurse, path, act="first-name", appointment=appointment)
        assert "<li>Patient</li>" in (await educator.get("/mes-seances")).text
        assert "inscrite" not in await shown()

        # Nothing else of anybody, by FHIR or page, with the appointment they are told of in hand.
        for type_ in ("Appointment", "CarePlan", "CareTeam", "Consent", "Goal", "Patient", "Task"):
            assert (await by_fhir(place, educator, type_, "_summary=count"))[1]["total"] == 0, type_
        for one in (f"Appointment/{appointment}", f"Patient/{place.patient}"):
            assert (await by_fhir(place, educator, one))[0] == 404
        for address in (
            "/seances",
            path,
            f"{path}/prenoms",
            f"{path}/agenda",
            "/dossiers",
            f"/dossiers/{place.patient}",
        ):
            assert (await educator.get(address)).status_code == 404, address
        assert (await nurse.get("/mes-seances")).status_code == 404
        async with place.signed_in("patient") as patient:
            assert TASKS["first-names"] in text(await patient.get(f"/journal/dossiers/{place.patient}"))

        await _taken_back_alone(place, monkeypatch, nurse, path, appointment, shown)

        # Gone at once: the agreement, the person's opposition, the approval of the association.
        await act(nurse, path, act="first-name", appointment=appointment)
        assert "1 personne inscrite, sans accord" in await shown()
        await act(nurse, path, act="first-name", appointment=appointment)
        opposed = await _oppose(place)
        assert "1 personne inscrite, sans accord" in await shown()
        with planted(monkeypatch, oppositions, "opposed_to", _nobody_opposed):
            assert "<li>Patient</li>" in (await educator.get("/mes-seances")).text
        await ask(place, "PUT", f"Consent/{opposed['id']}", {**opposed, "status": "inactive"})
        assert "<li>Patient</li>" in (await educator.get("/mes-seances")).text
        item = {"meaning": "instance", "reference": {"reference": f"Appointment/{appointment}"}}
        masks = await _oppose(place, "masking", data=[item])
        assert "<li>Patient</li>" not in (await educator.get("/mes-seances")).text
        assert "inscrite" not in await shown()
        with planted(monkeypatch, masking, "in_force", _nothing_masked):
            assert "<li>Patient</li>" in (await educator.get("/mes-seances")).text
        await ask(place, "PUT", f"Consent/{masks['id']}", {**masks, "status": "inactive"})
        assert "<li>Patient</li>" in (await educator.get("/mes-seances")).text

        association = next(one for one in await found(place, "Organization", "name=Souffles&_sort=_lastUpdated"))
        await ask(place, "PUT", f"Organization/{association['id']}", {**association, "extension": [{**APPROVED, "valuePeriod": {"end": "2021-01-01"}}]})  # fmt: skip
        assert (
            "Les prénoms ne vous sont pas donnés. L’annuaire ne dit pas que son association est agréée" in await shown()
        )
        with planted(monkeypatch, educators, "lacking", lambda *_: ""):
            assert "<li>Patient</li>" in (await educator.get("/mes-seances")).text

        await act(nurse, path, act="no-educator", educator=reference)
        assert "nommé pour aucune séance" in await shown()


async def _taken_back_alone(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    nurse: httpx.AsyncClient,
    path: str,
    appointment: str,
    shown: Callable[[], Awaitable[str]],
) -> None:
    """On the page of agreements, by the person and by staff at their word, with what stops; of no other place, and by nobody else."""
    accords = f"/dossiers/{place.patient}/accords"
    before = await ask(place, "GET", f"Appointment/{appointment}")
    async with place.signed_in("patient") as patient:
        for browser, words in ((patient, "Je reviens"), (nurse, "Elle revient")):
            page = await browser.get(accords)
            assert "ne lit plus ce prénom sur sa page" in text(page)
            assert words in text(page)
            form = {"csrf": field(page.text, "csrf")}
            for wrong in ("invented", place.patient):
                assert (await browser.post(f"{accords}/prenom/{wrong}", data=form)).status_code == 404
            for _twice in range(2):
                assert (await browser.post(f"{accords}/prenom/{appointment}", data=form)).status_code == 303
            assert "1 personne inscrite, sans accord" in await shown()
            page = await browser.get(accords)
            assert "refusé" in text(page)
            assert f"prenom/{appointment}" not in page.text
            after = await ask(place, "GET", f"Appointment/{appointment}")
            assert {**after, "meta": 0, "extension": 0} == {**before, "meta": 0, "extension": 0}
            await act(nurse, path, act="first-name", appointment=appointment)
            assert "sans accord" not in await shown()
        # The sibling: where the principal is given no place, nothing is taken back.
        form = {"csrf": field((await patient.get(accords)).text, "csrf")}
        with planted(monkeypatch, internal, "open_session", _unbound(internal.open_session)):
            assert (await patient.post(f"{accords}/prenom/{appointment}", data=form)).status_code == 403
        assert "sans accord" not in await shown()


def _unbound(opened: Any) -> Any:
    async def without(*given: Any, within: object = None, **named: Any) -> Any:
        return await opened(*given, **named)

    return without


async def _oppose(place: Place, kind: str = "opposition", **more: Any) -> Any:
    """The person opposes all sharing, or masks something."""
    tree = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": vocabulary.CONSENT, "code": kind}]}],
        "patient": {"reference": f"Patient/{place.patient}"},
        "dateTime": "2026-01-01T10:00:00+01:00",
        "policyRule": {"text": "CSP L.1110-4"},
        "provision": {"type": "deny", **more},
    }  # fmt: skip
    return await ask(place, "POST", "Consent", tree)


async def test_a_session_leaves_the_page_a_day_after_its_end(
    place: Place, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = await account(place, 90, "yannick")
    async with place.signed_in() as nurse, place.signed_in("yannick") as educator:
        path = (await plan(nurse, room, -2)).headers["location"]
        await enrol(nurse, path)
        schedule = next(one for one in await found(place, "Schedule", ""))
        actor = {"reference": reference, "extension": [{"url": codes.PATIENT_EDUCATOR, "valueBoolean": True}]}
        await ask(place, "PUT", f"Schedule/{schedule['id']}", {**schedule, "actor": [*schedule["actor"], actor]})
        [again] = await found(place, "Schedule", "")
        assert dict(named(again)) == {reference: ""}

        assert "nommé pour aucune séance" in text(await educator.get("/mes-seances"))
        with planted(monkeypatch, educating, "AFTER", timedelta(days=30)):
            assert "1 personne inscrite" in text(await educator.get("/mes-seances"))
