"""Measures: a table by kind with the last values, and the form that adds one."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access.classes import Class
from liaison.fhir.errors import BadRequest
from liaison.protocols import codes
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.clinician.place import Place, own_place
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments, sentences
from liaison.services.pages.reading.concepts import label
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.role_names import writes
from liaison.services.pages.signed_in import Me

Tree = dict[str, Any]
LOINC: Final = "http://loinc.org"
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"

_NUMBER: Final = re.compile(r"\d{1,3}(\.\d{1,2})?")


@dataclass(frozen=True, slots=True)
class Measure:
    """What can be typed here: LOINC, words, unit shown, UCUM, and the bounds outside of which it is surely a slip."""

    code: str
    name: str
    unit: str
    ucum: str
    low: int
    high: int
    parts: tuple[tuple[str, str], ...] = ()
    example: str = ""


_PRESSURES: Final = (("8480-6", "Systolique"), ("8462-4", "Diastolique"))
TYPED: Final = {
    measure.code: measure
    for measure in (
        Measure("29463-7", "Poids", "kg", "kg", 20, 300),
        Measure("85354-9", "Pression artérielle", "mmHg", "mm[Hg]", 30, 280, _PRESSURES, "128/76"),
        Measure("2708-6", "Saturation en oxygène", "%", "%", 40, 100),
        Measure("8867-4", "Fréquence cardiaque", "/min", "/min", 20, 250),
        Measure("8310-5", "Température", "°C", "Cel", 30, 43),
    )
}
SHOWN: Final = 6
"""How many values of a kind are shown; the record keeps them all."""


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of measure: the last value, and those before it, newest first."""

    name: str
    last: Tree
    before: list[Tree]


async def measures(request: Request) -> Response:
    return await show(request, await own_place(request))


async def show(request: Request, place: Place, error: str = "", status: int = 200) -> Response:
    record = place.record
    patient = await patient_or_404(record, place.id)
    query = {"patient": f"Patient/{place.id}", "_sort": "-date", "_count": "400"}
    return render(
        request,
        "clinician/measures.html",
        status=status,
        place=place,
        patient=patient,
        who=identity(patient),
        today=datetime.now(moments.PARIS).date(),
        series=grouped(await found(record, "Observation", query, 400)),
        typed=TYPED if place.writes and writes(place.me.role_code, Class.VITAL) else {},
        error=error,
        given=await request.form() if error else {},
    )


def grouped(observations: list[Tree]) -> list[Series]:
    """By their words, the kind measured last first. What an aide noticed is told as a visit, not as a measure."""
    kinds: dict[str, list[Tree]] = {}
    for observation in observations:
        noticed = any(c.get("system") == codes.HOME_CARE for c in observation.get("code", {}).get("coding", []))
        if observation.get("status") != "entered-in-error" and not noticed and sentences.value(observation):
            kinds.setdefault(label(observation.get("code")), []).append(observation)
    return [Series(name, values[0], values[1:SHOWN]) for name, values in kinds.items() if name]


async def add(request: Request) -> Response:
    place = await own_place(request)
    await patient_or_404(place.record, place.id)
    form = await request.form()
    measure = TYPED.get(str(form.get("code", "")))
    if measure is None:
        raise BadRequest("code is not one of the measures of this form")
    numbers = read_numbers(str(form.get("value", "")), measure)
    if not numbers:
        example = f" {measure.example}" if measure.example else ""
        return await show(
            request, place, f"{measure.name} : {measure.low:g} – {measure.high:g} {measure.unit}.{example}", 400
        )
    await place.record.create(observation(measure, numbers, place.id, place.me))
    return RedirectResponse(f"{place.path}/mesures", status_code=303)


def read_numbers(typed: str, measure: Measure) -> list[Decimal]:
    """The numbers typed, as many as the measure has, each within its bounds; none otherwise."""
    parts = [part.strip().replace(",", ".") for part in typed.split("/")]
    if len(parts) != max(1, len(measure.parts)) or not all(_NUMBER.fullmatch(part) for part in parts):
        return []
    numbers = [Decimal(part) for part in parts]
    falling = numbers == sorted(numbers, reverse=True)  # systolic before diastolic
    return numbers if falling and all(measure.low <= number <= measure.high for number in numbers) else []


def observation(measure: Measure, numbers: list[Decimal], patient: str, me: Me) -> Tree:
    """A vital sign measured now by the person who is signed in."""
    category = {"coding": [{"system": CATEGORY, "code": "vital-signs", "display": "Signes vitaux"}]}

    def concept(code: str, name: str) -> Tree:
        return {"coding": [{"system": LOINC, "code": code, "display": name}], "text": name}

    def quantity(number: Decimal) -> Tree:
        value = int(number) if number == number.to_integral_value() else float(number)
        return {"value": value, "unit": measure.unit, "system": "http://unitsofmeasure.org", "code": measure.ucum}

    tree: Tree = {
        "resourceType": "Observation",
        "status": "final",
        "category": [category],
        "code": concept(measure.code, measure.name),
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": datetime.now(moments.PARIS).isoformat(timespec="seconds"),
        "performer": [{"reference": me.role_reference or me.person, "display": me.name}],
    }
    if measure.parts:
        pairs = zip(measure.parts, numbers, strict=True)
        parts = [{"code": concept(*part), "valueQuantity": quantity(number)} for part, number in pairs]
        return {**tree, "component": parts}
    return {**tree, "valueQuantity": quantity(numbers[0])}
