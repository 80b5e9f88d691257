"""Appels: those that are open, and a new one, which starts from what is said of the person."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access.calls import KIND
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reception.person import Incomplete, patient
from liaison.services.pages.reception.welcome import KINDS, MISSING, SEXES, parameters
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
CODE: Final = f"{KIND[0]}|{KIND[1]}"
REGULATOR: Final = "https://liaison.example/fhir/CodeSystem/role|regulating-doctor"


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


async def calls(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    if request.method == "GET":
        return await _show(request, record, {})
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    try:
        body = parameters(patient=patient(form))
    except Incomplete as missing:
        return await _show(request, record, form, gettext(MISSING[missing.field]), 400)
    if not form.get("reason"):
        return await _show(request, record, form, gettext(_("Le motif de l'appel manque.")), 400)
    if not form.get("regulator"):
        return await _show(request, record, form, gettext(_("Le médecin régulateur manque.")), 400)
    body["parameter"] += [
        {"name": "reason", "valueString": form["reason"]},
        {"name": "regulator", "valueReference": {"reference": form["regulator"]}},
    ]
    try:
        answer = await record.operate("Patient/$open-call", body)
    except Refused as refused:
        return await _show(request, record, form, gettext(_words(refused)), refused.answered)
    task = next(part for part in answer["parameter"] if part["name"] == "task")["valueReference"]["reference"]
    return RedirectResponse(f"/appels/{task.partition('/')[2]}", status_code=303)


def _words(refused: Refused) -> str:
    """A 404 is one neutral answer, whatever the reason."""
    match refused.answered:
        case 404:
            return _(
                "Aucun appel ne peut être ouvert sous cette identité. Faites répéter le nom de naissance et la date, sans insister."
            )
        case 429:
            return _("Trop d'essais. Attendez un peu avant de recommencer.")
        case 400:
            return _("Une information manque ou n'est pas acceptable.")
    raise refused


async def _show(request: Request, record: Record, form: dict[str, str], error: str = "", status: int = 200) -> Response:
    query = {"code": CODE, "status": "in-progress", "_include": "Task:patient", "_count": "50"}
    found = await record.search("Task", query, most=100)
    people = {f"Patient/{tree['id']}": identity(tree) for tree in found if tree["resourceType"] == "Patient"}
    opened = [
        (str(task["id"]), people[subject], moments.happened(task), task.get("reasonCode", {}).get("text", ""))
        for task in found
        if task["resourceType"] == "Task" and (subject := str(task["for"]["reference"])) in people
    ]
    given = {"ins_kind": "10" if request.app.state.sandbox else "8", **form}
    return render(
        request,
        "platform/calls.html",
        status=status,
        opened=opened,
        regulators=await _regulators(record),
        given=given,
        sexes=SEXES,
        kinds=KINDS,
        error=error,
    )


async def _regulators(record: Record) -> list[tuple[str, str]]:
    """(reference, name) of the regulating doctors, as the directory has them."""
    query = {"role": REGULATOR, "active": "true", "_count": "100"}
    roles = await record.search("PractitionerRole", query, most=100)
    named = [(f"PractitionerRole/{role['id']}", str(role.get("practitioner", {}).get("display", ""))) for role in roles]
    return sorted((one for one in named if one[1]), key=lambda one: one[1].casefold())
