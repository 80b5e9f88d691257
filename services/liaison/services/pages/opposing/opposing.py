"""« La personne s'oppose »: to what, then what stops, then it is recorded, with the signed form when there is one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import adopted, oppositions
from liaison.auth.access.classes import Class
from liaison.auth.access.roles import confirms
from liaison.fhir.errors import BadRequest, Forbidden
from liaison.services.pages import clock
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.clinician.teams import members_of, teams_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.opposing.confirming import name_of
from liaison.services.pages.opposing.stops import what_stops
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reception.welcome import directory
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import writes
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]
Choices = list[tuple[str, str]]


ACTS: Final = (
    ("all", _("À tout partage")),
    ("one", _("À ce qu'une personne voie son dossier")),
    ("service", _("À ce qu'un service voie son dossier")),
    ("emergency", _("À tout accès en urgence")),
)
OWN_ACTS: Final = (
    ACTS[0],
    ("one", _("À ce qu'une personne voie mon dossier")),
    ("service", _("À ce qu'un service voie mon dossier")),
    ACTS[3],
)
MEANS: Final = (("oral", _("À l'oral")), ("paper", _("Par écrit, feuille remise")), ("digital", _("En ligne")))
PERSONS: Final = frozenset({"patient", "guardian"})
_AT_HOME: Final = frozenset({"home-aide"})
SENT_LIMIT: Final = oppositions.LARGEST_SCAN + 64 * 1024


async def oppose(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    if not writes(await adopted.in_force(request.app.state.house.database), me.role_code, Class.CONSENT):
        raise Forbidden
    if request.method == "GET":
        return await _show(request, record, patient, me, {})
    async with request.form() as posted:
        form = {name: value for name, value in posted.items() if isinstance(value, str)}
        try:
            signed: Tree | None = await _scanned(posted.get("scan"), clock.now(request))
        except BadRequest:
            signed = None
    if me.role_code in PERSONS:
        form["means"] = "digital"
    gettext = translations(language_of(request)).gettext
    act, target = form.get("act", ""), _target(form)
    about = await name_of(record, {"reference": target}) if target else ""
    if act not in dict(ACTS) or form.get("means") not in dict(MEANS) or (act in ("one", "service") and not about):
        own = _("Dites à quoi vous vous opposez.")
        words = gettext(own if _own(me) else _("Dites à quoi la personne s'oppose, et comment elle l'a dit."))
        return await _show(request, record, patient, me, form, error=words, status=400)
    if form.get("step") != "record" or signed is None:
        stopping = await what_stops(record, f"Patient/{id_}", act, target, me.role_code, gettext)
        words = "" if signed is not None else gettext(_("Le document est une image ou un PDF, de 4 Mo au plus."))
        status = 200 if signed is not None else 400
        return await _show(
            request, record, patient, me, form, about=about, stopping=stopping, error=words, status=status
        )
    await record.operate(f"Patient/{id_}/$oppose", _stated(act, form["means"], target, signed))
    # The record may be closed to whoever recorded it.
    if await record.read(f"Patient/{id_}") is not None and me.role_code not in _AT_HOME:
        return RedirectResponse(f"/dossiers/{id_}/accords", status_code=303)
    mine = "/aujourdhui" if me.role_code in _AT_HOME else "/dossiers"
    return RedirectResponse(f"{mine}?opposition=notee", status_code=303)


def _own(me: Me) -> bool:
    return me.role_code == "patient"


def _target(form: Mapping[str, str]) -> str:
    return form.get({"one": "member", "service": "structure"}.get(form.get("act", ""), ""), "")


async def _scanned(sent: object, now: datetime) -> Tree:
    """The Attachment of what was chosen; {} for nothing. Raises BadRequest."""
    if not isinstance(sent, UploadFile) or not sent.filename:
        return {}
    content = await sent.read()
    return oppositions.scan(content, "Opposition signée", now)


def _stated(act: str, means: str, target: str, signed: Tree) -> Tree:
    parts: list[Tree] = [{"name": "means", "valueCode": means}]
    if act == "emergency":
        parts.append({"name": "emergency", "valueBoolean": True})
    if target:
        parts.append({"name": "against", "valueReference": {"reference": target}})
    if signed:
        parts.append({"name": "signed", "valueAttachment": signed})
    return {"resourceType": "Parameters", "parameter": parts}


async def _show(
    request: Request,
    record: Record,
    patient: Tree,
    me: Me,
    form: Mapping[str, str],
    *,
    about: str = "",
    stopping: list[str] | None = None,
    error: str = "",
    status: int = 200,
) -> Response:
    people, structures = (
        await _whom(record, f"Patient/{patient['id']}", me.organization_reference) if stopping is None else ([], [])
    )
    return render(
        request,
        "opposing/oppose.html",
        status=status,
        patient=patient,
        who=identity(patient),
        today=clock.now(request).date(),
        own=_own(me),
        about=about,
        acts=OWN_ACTS if _own(me) else ACTS,
        means=[] if me.role_code in PERSONS else MEANS,
        people=people,
        structures=structures,
        stopping=stopping,
        at_home=me.role_code in _AT_HOME,
        provisional=not confirms(me.role_code) and me.role_code not in PERSONS,
        given=form,
        error=error,
    )


async def _whom(record: Record, patient: str, mine: str) -> tuple[Choices, Choices]:
    """The people and the structures that can be named: those of the team, or anyone of the directory for who does not
    see the team, as an aide or a secretary. `mine` comes first: it is of her own service that an aide is told."""
    teams = await teams_of(record, patient)
    named = {reference: name for team in teams for name, reference in members_of(team, record.now())}
    people = sorted(
        ((one, name) for one, name in named.items() if one.startswith(("PractitionerRole/", "Practitioner/"))),
        key=lambda one: one[1].casefold(),
    )
    if not people:
        anyone = await directory(record, mine="")
        people = [(reference, f"{name}, {role}" if role else name) for reference, name, role in anyone]
    structures = await structures_of(record)
    return people, sorted(structures, key=lambda one: one[0] != mine)


async def structures_of(record: Record) -> Choices:
    """Every active structure of the directory, by name: a service may hold the record without being in the team."""
    known = await record.search("Organization", {"active": "true", "_sort": "name", "_count": "200"}, most=400)
    return [(f"Organization/{tree['id']}", str(tree["name"])) for tree in known if tree.get("name")]
