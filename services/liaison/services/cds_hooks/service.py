"""Discovery, and the hook `patient-view`. https://cds-hooks.hl7.org/2.0/#discovery, #calling-a-cds-service"""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from liaison.fhir import model
from liaison.fhir.errors import BadRequest, FhirError
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.api import errors
from liaison.services.cds_hooks.asking import asked_by
from liaison.services.cds_hooks.cards import cards
from liaison.services.oauth.answers import json_answer
from liaison.services.oauth.cors import open_to_apps
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.page import bounded_body
from liaison.services.pages.record import Record

DISCOVERY: Final = "/cds-services"
SERVICE: Final = f"{DISCOVERY}/liaison-patient-view"
HOOK: Final = "patient-view"
LIMIT: Final = 256 * 1024


async def discover(request: Request) -> Response:
    """Open: it names no record."""
    told = {
        "hook": HOOK,
        "id": SERVICE.rpartition("/")[2],
        "title": "Liaison : ce qui attend dans le dossier partagé",
        "description": "Étapes en retard, alertes ouvertes, groupe modifié, tels que la personne connectée peut les voir.",
        "usageRequirements": "The call is signed by a registered client; fhirAuthorization holds an access token of this service.",
    }
    return json_answer({"services": [told]})


async def patient_view(request: Request) -> Response:
    """{"cards": […]} of the patient whom the token's person has opened. Refusals are journaled, and reads as any other."""
    house = request.app.state.house
    address = request.client.host if request.client else ""
    told = FhirRequest("POST", SERVICE.lstrip("/"), address=address)
    try:
        question = _read(await bounded_body(request, LIMIT))
        caller = await asked_by(request, SERVICE, question)
    except FhirError as error:
        answer = await house.engine.refused(told, error)
        return Response(answer.body, answer.status, dict(answer.headers), media_type="application/json")
    try:
        patient = _patient(question)
        gettext = translations(language_of(request)).gettext
        record = Record(house.engine, caller, address)
        found = await cards(record, patient, house.settings.public_url, gettext)
    except FhirError as error:
        answer = errors.answer(error)
        return Response(answer.body, answer.status, dict(answer.headers), media_type="application/json")
    return json_answer({"cards": found})


def _read(body: bytes) -> Mapping[str, Any]:
    question = model.read(body)
    if question.get("hook") != HOOK:
        raise BadRequest(f"hook is {HOOK} here.", "hook")
    if not isinstance(question.get("hookInstance"), str):
        raise BadRequest("hookInstance is required: a UUID.", "hookInstance")
    return question


def _patient(question: Mapping[str, Any]) -> str:
    context = question.get("context")
    patient = context.get("patientId") if isinstance(context, Mapping) else None
    if not isinstance(patient, str) or not patient:
        raise BadRequest("context.patientId is required: the id of a Patient of this service.", "context.patientId")
    return patient


def routes() -> list[BaseRoute]:
    return [open_to_apps(DISCOVERY, discover, ("GET",)), open_to_apps(SERVICE, patient_view)]
