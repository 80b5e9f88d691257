"""The notebook of one person: notes of visibility « proches », newest first, and the next visits. Nothing else is here."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.caller import Caller
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.protocols import codes
from liaison.services.pages import clock
from liaison.services.pages.clinician.dossier import coming, found, patient_or_404
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.notebook.readers import Readers, called, readers
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, identities, signed_in
from liaison.services.pages.writable import writable

Tree = dict[str, Any]

LONGEST: Final = 1000
RELATIVES: Final = frozenset({"caregiver"})
_AT_HOME: Final = frozenset({"home-aide"})


@dataclass(frozen=True, slots=True)
class Place:
    """Whose notebook, at which address, and by whom it is signed, under which name. `readers` of a note, for whoever may write one;
    None for anyone else: who is around the person is not theirs to know."""

    patient: str
    path: str
    who: Identity
    signer: str
    signature: str
    record: Record
    readers: Readers | None


async def notebook(request: Request) -> Response:
    place, role = await _place(request)
    gettext = translations(language_of(request)).gettext
    if request.method == "GET":
        return await _show(request, place, role)
    text = str((await request.form()).get("mot", "")).strip()
    if not 0 < len(text) <= LONGEST:
        words = gettext(_("Le mot a de 1 à 1 000 caractères."))
        return await _show(request, place, role, error=words, given=text[:LONGEST], status=400)
    await place.record.create(note(place, text, clock.now(request)))
    return RedirectResponse(place.path, status_code=303)


def note(place: Place, text: str, at: datetime) -> Tree:
    """The Communication of one note."""
    tree: Tree = {
        "resourceType": "Communication",
        "meta": {"security": [{"system": vocabulary.VISIBILITY, "code": "proches", "display": "Carnet partagé"}]},
        "status": "completed",
        "category": [{"coding": [{"system": codes.HOME_CARE, "code": "notebook", "display": "Carnet partagé"}]}],
        "subject": {"reference": place.patient},
        "sent": at.isoformat(timespec="seconds"),
        "sender": {"reference": place.signer, "display": place.signature},
        "payload": [{"contentString": text}],
    }
    if place.readers and place.readers.service:
        tree["recipient"] = [place.readers.service]
    return tree


async def _place(request: Request) -> tuple[Place, str]:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    gettext = translations(language_of(request)).gettext
    if caller.role_code not in RELATIVES:
        patient = await patient_or_404(record, request.path_params["id"])
        told = await _readers(request, caller, record, f"Patient/{patient['id']}")
        who, path = identity(patient), f"/dossiers/{patient['id']}/carnet"
        signature = f"{me.name} ({me.role_label.lower()})"
        signer = me.role_reference or me.person
        return Place(f"Patient/{patient['id']}", path, who, signer, signature, record, told), caller.role_code
    await _check_named(request, caller, me.account.person.patient)
    async with identities(request, caller) as cell:
        myself = await cell.read(me.person)
        subject = str((myself or {}).get("patient", {}).get("reference", ""))
        patient_ = await cell.read(subject)
        if myself is None or patient_ is None:
            raise NotFound
        told = await readers(cell, record, subject, gettext, by_function=True)
    return Place(subject, "/carnet", identity(patient_), me.person, called(myself), record, told), caller.role_code


async def _readers(request: Request, caller: Caller, record: Record, patient: str) -> Readers | None:
    # A note, signed by themselves, in this very record and now: a secretary keeps what they open a record with, and writes in no
    # notebook.
    if not await writable(request, caller, patient, Class.PROCHES):
        return None
    async with identities(request, caller) as cell:
        gettext = translations(language_of(request)).gettext
        return await readers(cell, record, patient, gettext, by_function=False)


async def _check_named(request: Request, caller: Caller, patient: int) -> None:
    """Raises NotFound unless a permission names this relative now: before it, they learn nothing, after it no more."""
    house = request.app.state.house
    asked = f"select exists (select from {house.store.filter.patients('$1::bigint')} p where p.patient = $2)"
    with faults.reported():
        if not await house.database.reading.fetchval(asked, caller.session, patient):
            raise NotFound


async def _show(
    request: Request, place: Place, role: str, *, error: str = "", given: str = "", status: int = 200
) -> Response:
    mine = {"patient": place.patient, "_count": "100"}
    now = clock.now(request)
    notes, visits = await asyncio.gather(
        found(
            place.record,
            "Communication",
            {**mine, "_security": f"{vocabulary.VISIBILITY}|proches", "_sort": "-sent"},
            100,
        ),
        found(place.record, "Appointment", {**mine, "date": f"ge{now.date().isoformat()}", "_sort": "date"}, 20),
    )
    return render(
        request,
        "notebook/notebook.html",
        status=status,
        place=place,
        notes=[one for one in notes if not in_error(one)],
        visits=coming(visits, now),
        may_write=place.readers is not None,
        relative=role in RELATIVES,
        at_home=role in _AT_HOME,
        longest=LONGEST,
        given=given,
        error=error,
    )
