"""Measures: a table by kind with the last values, and the form that adds one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import BadRequest
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments, sentences
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]
LOINC: Final = "http://loinc.org"
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"

# What can be typed here: LOINC, words, unit shown, UCUM, and the bounds outside of which it is surely a slip.
TYPED: Final = {
    "29463-7": ("Poids", "kg", "kg", 20.0, 300.0),
    "59408-5": ("Saturation en oxygène", "%", "%", 40.0, 100.0),
    "8867-4": ("Fréquence cardiaque", "/min", "/min", 20.0, 250.0),
    "8310-5": ("Température", "°C", "Cel", 30.0, 43.0),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of measure, newest first."""

    name: str
    values: list[Tree]


async def measures(request: Request) -> Response:
    return await _show(request)


async def _show(request: Request, error: str = "", status: int = 200) -> Response:
    caller, _ = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    query = {"patient": f"Patient/{id_}", "_sort": "-date", "_count": "200"}
    return render(
        request,
        "clinician/measures.html",
        status=status,
        patient=patient,
        who=identity(patient),
        today=datetime.now(moments.PARIS).date(),
        series=grouped(await found(record, "Observation", query, 400)),
        typed=TYPED,
        error=error,
    )


def grouped(observations: list[Tree]) -> list[Series]:
    """By their words, the kind measured last first."""
    kinds: dict[str, list[Tree]] = {}
    for observation in observations:
        if observation.get("status") != "entered-in-error":
            kinds.setdefault(sentences.label(observation.get("code")), []).append(observation)
    return [Series(name, values[:8]) for name, values in kinds.items() if name]


async def add(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    await patient_or_404(record, id_)
    form = await request.form()
    code, typed = str(form.get("code", "")), str(form.get("value", "")).strip().replace(",", ".")
    if code not in TYPED:
        raise BadRequest("code is not one of the measures of this form")
    name, unit, _, low, high = TYPED[code]
    try:
        value = float(typed)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        bounds = f"{low:g} – {high:g} {unit}"
        return await _show(request, f"{name} : {bounds}.", 400)
    await record.create(observation(code, typed, id_, me))
    return RedirectResponse(f"/dossiers/{id_}/mesures", status_code=303)


def observation(code: str, value: str, patient: str, me: Me) -> Tree:
    """A vital sign measured now by the person who is signed in. The number keeps the digits that were typed."""
    name, unit, ucum, _, _ = TYPED[code]
    category = {"coding": [{"system": CATEGORY, "code": "vital-signs", "display": "Signes vitaux"}]}
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [category],
        "code": {"coding": [{"system": LOINC, "code": code, "display": name}], "text": name},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": datetime.now(moments.PARIS).isoformat(timespec="seconds"),
        "performer": [{"reference": me.role_reference or me.person, "display": me.name}],
        "valueQuantity": {"value": float(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": ucum},
    }
