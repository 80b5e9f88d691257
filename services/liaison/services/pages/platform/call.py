"""One open call: who the person is, whom to reach, what is worrying now, what is planned; and its end."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access.calls import KIND
from liaison.fhir.errors import NotFound
from liaison.protocols import flagging
from liaison.services.pages import clock
from liaison.services.pages.clinician.alerts import alerts_of, told
from liaison.services.pages.clinician.dossier import coming, found, patient_or_404
from liaison.services.pages.clinician.teams import members, teams_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.platform.calls import DOCTOR
from liaison.services.pages.platform.taken import own_call
from liaison.services.pages.reading.contact import contact, ways
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.states import in_force
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Contact:
    """Someone of the team, with the telephone that the directory gives."""

    name: str
    role: str
    phone: str


async def call(request: Request) -> Response:
    """404 for a call that is over, or somebody else's: what it opened is closed."""
    caller, _ = await signed_in(request)
    record = own = Record(request.app.state.house.engine, caller, address_of(request))
    if caller.role_code == DOCTOR:
        task, record = await own_call(request)
    else:
        task = await _received(record, request.path_params["task"])
    if request.method == "POST":
        note = str((await request.form()).get("note", "")).strip()
        said = [{"name": "note", "valueString": note}] if note else []
        await own.ask("POST", f"Task/{task['id']}/$end-call", body={"resourceType": "Parameters", "parameter": said})
        return RedirectResponse("/appels", status_code=303)
    reference = str(task["for"]["reference"])
    mine = {"patient": reference, "_count": "50"}
    now = clock.now(request)
    gettext = translations(language_of(request)).gettext
    patient, teams, alerts, flags, planned = await asyncio.gather(
        patient_or_404(record, reference.partition("/")[2]),
        teams_of(record, reference),
        alerts_of(record, reference),
        found(record, "Flag", {**mine, **flagging.BESIDES}),
        found(record, "Appointment", {**mine, "date": f"ge{now.date().isoformat()}", "_sort": "date"}, 20),
    )
    return render(
        request,
        "platform/call.html",
        task=task,
        doctor=caller.role_code == DOCTOR,
        patient=patient,
        who=identity(patient),
        today=now.date(),
        until=datetime.fromisoformat(task["restriction"]["period"]["end"]),
        reached=contact(patient, now, gettext),
        contacts=await contacts(record, teams),
        alerts=[told(alert, now, gettext) for alert in alerts],
        flags=in_force(flags, now),
        planned=coming(planned, now),
    )


async def _received(record: Record, id_: str) -> Tree:
    task = await record.read(f"Task/{id_}")
    if task is None or not _is_call(task):
        raise NotFound
    return task


def _is_call(task: Tree) -> bool:
    codings = task.get("code", {}).get("coding", [])
    return task.get("status") == "in-progress" and any((c.get("system"), c.get("code")) == KIND for c in codings)


async def contacts(record: Record, teams: list[Tree]) -> list[Contact]:
    """Those who take part now, with a telephone of the directory where it has one."""
    references = [str(p.get("member", {}).get("reference", "")) for team in teams for p in team.get("participant", [])]
    phones = await _phones(record, references)
    lines: dict[tuple[str, str], Contact] = {}
    for team in teams:
        by_name = {
            str(p.get("member", {}).get("display", "")): str(p.get("member", {}).get("reference", ""))
            for p in team.get("participant", [])
        }
        for name, role in members(team, record.now()):
            lines.setdefault((name, role), Contact(name, role, phones.get(by_name.get(name, ""), "")))
    return list(lines.values())


async def _phones(record: Record, references: list[str]) -> dict[str, str]:
    """The first telephone of each role's person, or of each structure."""
    roles = [one.partition("/")[2] for one in references if one.startswith("PractitionerRole/")]
    structures = [one.partition("/")[2] for one in references if one.startswith("Organization/")]
    people, places = await asyncio.gather(
        _by_id(record, "PractitionerRole", roles, ("_include", "PractitionerRole:practitioner")),
        _by_id(record, "Organization", structures),
    )
    named = {
        f"{tree['resourceType']}/{tree['id']}": next(iter(ways(tree, "phone", record.now())), "")
        for tree in [*people, *places]
    }
    for role in people:
        if role["resourceType"] == "PractitionerRole":
            own = named[f"PractitionerRole/{role['id']}"]
            person = named.get(str(role.get("practitioner", {}).get("reference", "")), "")
            named[f"PractitionerRole/{role['id']}"] = own or person
    return named


async def _by_id(record: Record, type_: str, ids: list[str], *more: tuple[str, str]) -> list[Tree]:
    if not ids:
        return []
    return await record.search(type_, [("_id", ",".join(sorted(set(ids)))), ("_count", "100"), *more], most=200)
