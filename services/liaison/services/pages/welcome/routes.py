"""The addresses of the front page. In a base that is no sandbox there is nothing here: 404, like any unknown address."""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from shlex import quote
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from liaison.auth.access.traits import traits_of
from liaison.auth.people import accounts
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages import clock, cookies
from liaison.services.pages.entering import before_sign_in, enter
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine, render
from liaison.services.pages.page import page
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import browser_of, signed_in
from liaison.services.pages.welcome.doors import BY_KEY, DOORS, GROUPS, Door
from liaison.services.pages.welcome.story import BIRTH, FAMILY, GIVEN, PATIENT, STORY, Call
from liaison.services.sandbox.folder import Folder
from liaison.services.sandbox.lan import AUTHORITY, FOLDER
from liaison.services.sandbox.territory.professionals import BY_KEY as PROFESSIONALS

_PEOPLE: Final = {
    "patient_a": "Loïc Kervadec",
    "patient_b": "Sandrine Benali",
    "guardian": "Sylvain Maho",
    "caregiver": "Laurent Robic",
}


def name_of(door: Door) -> str:
    """Who stands behind the door; the territory's names never change."""
    return _PEOPLE.get(door.key) or PROFESSIONALS[door.key].name


def _only_in_a_sandbox(request: Request) -> None:
    if not getattr(request.app.state, "sandbox", False):
        raise NotFound


async def territory(request: Request) -> Response:
    """Every door, by where one works."""
    _only_in_a_sandbox(request)
    gettext = translations(language_of(request)).gettext
    groups = [
        (gettext(title), [(door, name_of(door), gettext(door.sentence)) for door in DOORS if door.group == group])
        for group, title in GROUPS.items()
    ]
    known = _known(request)
    return await _render(
        request,
        "welcome/territory.html",
        groups=groups,
        made=_of_another_day(request, known),
        people=len(known.get("patients", ())),
    )


def _known(request: Request) -> dict[str, Any]:
    """What sandbox.json says; nothing as long as the territory is being made."""
    folder = Folder(request.app.state.house.settings.data)
    return folder.read() if folder.complete else {}


def _of_another_day(request: Request, known: dict[str, Any]) -> date | None:
    """The day this territory was made for, where that is not today: its tours are then empty, and a reader must know."""
    if not known:
        return None
    made = date.fromisoformat(known["as_of"])
    return None if made == clock.now(request).date() else made


async def sheet(request: Request) -> Response:
    """Ten minutes behind one door."""
    _only_in_a_sandbox(request)
    door = BY_KEY.get(request.path_params["key"])
    if door is None:
        raise NotFound
    gettext = translations(language_of(request)).gettext
    return await _render(
        request,
        "welcome/sheet.html",
        door=door,
        name=name_of(door),
        sentence=gettext(door.sentence),
        steps=[gettext(step) for step in door.steps],
        about=[_stated(one) for one in _patients(request, door.about)],
    )


async def story(request: Request) -> Response:
    """The guided tour: one person's year and a half, chapter by chapter."""
    _only_in_a_sandbox(request)
    gettext = translations(language_of(request)).gettext
    people = {str(one["key"]): one for one in _known(request).get("people", ())}
    patient = await _opened_on_the_way(request)
    chapters = [
        (
            gettext(one.title),
            [gettext(step) for step in one.steps],
            [(name_of(BY_KEY[call.door]), _command(request, call, people, patient)) for call in one.calls if people],
            [(door, name_of(BY_KEY[door])) for door in one.doors],
        )
        for one in STORY
    ]
    return await _render(
        request,
        "welcome/story.html",
        chapters=chapters,
        family=FAMILY,
        given=GIVEN,
        birth=BIRTH,
        patient="" if patient else PATIENT,
    )


async def _opened_on_the_way(request: Request) -> str:
    """The number of the newest record of the story's name that whoever is signed in follows; '' for none."""
    browser = await browser_of(request)
    if browser is None or not browser.caller.role_code:
        return ""
    named = {"family": FAMILY, "given": GIVEN, "birthdate": BIRTH.isoformat(), "_sort": "-_lastUpdated", "_count": "1"}
    answer = await Record(request.app.state.house.engine, browser.caller).ask("GET", "Patient", query=named)
    found = json.loads(answer.body).get("entry", []) if answer.status == 200 else []
    return str(found[0]["resource"]["id"]) if found else ""


def _command(request: Request, call: Call, people: dict[str, Any], patient: str) -> str:
    """What creates the resource from a terminal of this machine, as the person behind the door."""
    tree = call.resource(clock.now(request).date(), people)
    settings = request.app.state.house.settings
    base, folder = settings.fhir_base, quote(str(settings.data))
    liaison = "liaison" if shutil.which("liaison") else quote(str(Path(sys.executable).with_name("liaison")))
    written = json.dumps(tree, ensure_ascii=False, indent=1).replace(PATIENT, patient or PATIENT)
    return (
        f'curl -H "Authorization: Bearer $({liaison} sandbox token --as {call.door} --data {folder})" \\\n'
        f'  -H "Content-Type: application/fhir+json" --data @- {base}/{tree["resourceType"]} <<FIN\n'
        f"{written}\nFIN"
    )


@dataclass(frozen=True, slots=True)
class Stated:
    """An identity as one would be told it at a desk or on the telephone."""

    name: str
    family: str
    given: str
    birth: date
    sex: str
    birthplace: str
    ins: str


def _patients(request: Request, keys: Sequence[str]) -> list[dict[str, Any]]:
    """What sandbox.json says of these patients."""
    known = _known(request) if keys else {}
    return [one for key in keys for one in known.get("patients", ()) if one["key"] == key]


def _stated(patient: dict[str, Any]) -> Stated:
    tree = patient["identity"]
    return Stated(
        patient["name"],
        tree["name"][0]["family"],
        tree["name"][0]["given"][0],
        date.fromisoformat(tree["birthDate"]),
        tree["gender"],
        traits_of(tree).birthplace,
        next((str(one["value"]) for one in tree.get("identifier", ())), ""),
    )


async def go_in(request: Request) -> Response:
    """Signs in as the person behind the door. The form is genuine: `page` has checked it."""
    _only_in_a_sandbox(request)
    door = BY_KEY.get(str((await request.form()).get("porte", "")))
    if door is None:
        raise NotFound
    with faults.reported():
        account = await accounts.by_username(request.app.state.house.database.reading, door.key.replace("_", "-"))
    if account is None or account.over or not account.active:
        return await _render(request, "welcome/closed.html", status=403, name=name_of(door))
    return await enter(request, account)


async def authority(request: Request) -> Response:
    """The certificate of a sandbox on the local network, for a phone to trust. It is public by nature."""
    _only_in_a_sandbox(request)
    file = request.app.state.house.settings.data / FOLDER / AUTHORITY
    if not file.exists():
        raise NotFound
    return confine(request, Response(file.read_bytes(), media_type="application/x-x509-ca-cert"))


async def _render(request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
    browser = await browser_of(request)
    before = "" if browser is not None else before_sign_in(request)
    request.state.csrf = browser.csrf if browser is not None else before
    if browser is not None and browser.caller.role_code:
        await signed_in(request)  # for the header: who one is now
    settings = request.app.state.house.settings
    response = render(request, template, status=status, address=settings.fhir_base, **context)
    if before:
        cookies.give(request, response, cookies.BEFORE, before)
    return response


def routes() -> list[BaseRoute]:
    return [
        page("/territoire", territory),
        page("/territoire/entrer", go_in, methods=("POST",)),
        page("/territoire/autorite", authority),
        page("/territoire/histoire", story),
        page("/territoire/{key}", sheet),
    ]
