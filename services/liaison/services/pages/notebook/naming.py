"""The person opens the shared notebook to someone close to them: a Consent that names them, for notes and visits alone. Or, to
who represents them, what is sensitive: by the person's own word (row 22)."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import team_writing, vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts import Reading, related_person
from liaison.auth.access.facts.reading import codes
from liaison.fhir.errors import NotFound
from liaison.services.pages import clock
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.notebook.readers import called
from liaison.services.pages.reading import moments
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
OPENED: Final = {"carnet": ("PROCHES", "APPT"), "sensible": ("SENS",)}
"""The classes that a Consent of this page names, by the field `ouvre` of its form."""


async def name(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    patient = await patient_or_404(record, request.path_params["id"])
    form = await request.form()
    chosen, opened = str(form.get("proche", "")), OPENED.get(str(form.get("ouvre", "carnet")))
    relative = await record.read(chosen) if chosen.startswith("RelatedPerson/") else None
    subject = f"Patient/{patient['id']}"
    if opened is None or relative is None or relative["patient"]["reference"] != subject:
        raise NotFound
    wishes = RedirectResponse(f"/dossiers/{patient['id']}/accords", status_code=303)
    held = await found(record, "Consent", {"patient": subject, "actor": chosen, "status": "active", "_count": "100"})
    if any(_opens(one, opened, record.now()) for one in held):
        return wishes  # a second agreement would outlive the first, when that is withdrawn
    actor = team_writing.actor(chosen)
    actor["reference"]["display"] = called(relative)
    provision: Tree = {
        "type": "permit",
        "actor": [actor],
        "securityLabel": [{"system": vocabulary.DATA_CLASS, "code": code} for code in opened],
    }
    own = me.role_code in ("patient", "guardian")
    means = "digital" if own else "oral"
    tree = team_writing.consent(subject, "sharing", subject, clock.now(request), means, provision)
    if me.role_code == "guardian":
        tree["performer"] = [{"reference": me.person}]
    elif not own:
        tree["performer"].append({"reference": me.role_reference})
    await record.create(tree)
    return wishes


def _opens(consent: Tree, classes: tuple[str, ...], now: datetime) -> bool:
    provision = consent.get("provision") or {}
    named = set(codes(provision.get("securityLabel") or [], vocabulary.DATA_CLASS))
    return (
        provision.get("type") == "permit"
        and named == set(classes)
        and moments.covers(provision.get("period") or {}, now)
    )


class Relative(NamedTuple):
    reference: str
    name: str
    represents: bool


async def relatives(record: Record, patient: str) -> list[Relative]:
    """Those close to the person, as far as the caller sees them; whether they represent the person now."""
    known = await found(record, "RelatedPerson", {"patient": patient, "_count": "50"})
    now = record.now()
    close = [one for one in known if one.get("active", True) and moments.covers(one.get("period") or {}, now)]
    return [
        Relative(f"RelatedPerson/{tree['id']}", called(tree), _represents(record, tree))
        for tree in close
        if called(tree)
    ]


def _represents(record: Record, tree: Tree) -> bool:
    key_of = record.engine.store.key
    key = key_of("RelatedPerson", tree["id"])
    assert key is not None, "it was read"
    stated = related_person.facts(Reading(tree, key, key_of, Class.FILE))
    return any(one.during.start <= record.now() < one.during.end for one in stated)
