"""Measures: a table by kind with the last values, and the form that adds one."""

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import adopted
from liaison.auth.access.classes import Class
from liaison.fhir.errors import BadRequest
from liaison.protocols import codes
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.clinician.place import Place, own_place
from liaison.services.pages.clinician.thresholds import Threshold, thresholds, watched_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading import measures as reading
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.curves import Curve, drawn
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.marks import elsewhere
from liaison.services.pages.reading.punctuation import colon
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import writes
from liaison.services.pages.signed_in import Me

Tree = dict[str, Any]
CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/observation-category"

_NUMBER: Final = re.compile(r"\d{1,3}(\.\d{1,2})?")


@dataclass(frozen=True, slots=True)
class Measure:
    """What can be typed here: LOINC, unit shown, UCUM, and the bounds outside of which it is surely a slip."""

    code: str
    unit: str
    ucum: str
    low: int
    high: int
    parts: tuple[str, ...] = ()
    example: str = ""

    @property
    def name(self) -> str:
        return reading.NAMES[self.code]


_PRESSURES: Final = (reading.SYSTOLIC, reading.DIASTOLIC)
TYPED: Final = {
    measure.code: measure
    for measure in (
        Measure("29463-7", "kg", "kg", 20, 300),
        Measure("85354-9", "mmHg", "mm[Hg]", 30, 280, _PRESSURES, "128/76"),
        Measure("2708-6", "%", "%", 40, 100),
        Measure("8867-4", "/min", "/min", 20, 250),
        Measure("8310-5", "°C", "Cel", 30, 43),
    )
}
SHOWN: Final = 24
"""How many values of a kind are shown; the record keeps them all."""
_MOST: Final = 3000
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of measure: the last value, and those before it, newest first. `code` is for a kind without a name,
    and says of what it was taken if not of the person. `thresholds` are those of the protocols that the person follows."""

    name: str
    code: str
    last: Tree
    before: list[Tree]
    thresholds: tuple[Threshold, ...] = ()

    @property
    def curve(self) -> Curve | None:
        return drawn([self.last, *self.before], [one.value for one in self.thresholds])


async def show(request: Request, place: Place, error: str = "", status: int = 200) -> Response:
    record = place.record
    patient = await patient_or_404(record, place.id)
    table = await adopted.in_force(request.app.state.house.database)
    say = translations(language_of(request)).gettext
    observations, watched = await asyncio.gather(last_of_each(record, place.id), watched_of(place))
    return render(
        request,
        "clinician/measures.html",
        status=status,
        place=place,
        patient=patient,
        who=identity(patient),
        today=record.now().date(),
        series=[
            replace(one, thresholds=thresholds([one.last, *one.before], watched, record.now()))
            for one in grouped(observations, say)
        ],
        typed=TYPED if place.writes and writes(table, place.me.role_code, Class.VITAL) else {},
        error=error,
        given=await request.form() if error else {},
    )


async def last_of_each(record: Record, patient: str) -> list[Tree]:
    """The last values of each code, however long ago: what was measured once, years back, is not cut off by the hundreds
    of weights and pressures since. Nothing where the role's scope does not cover observations."""
    # $lastn asks for a code or a category; what has neither words nor a code is a kind as well.
    queries = ({"patient": f"Patient/{patient}", "code:missing": bare, "max": str(SHOWN)} for bare in ("false", "true"))
    try:
        lists = await asyncio.gather(*(record.search("Observation/$lastn", query, most=_MOST) for query in queries))
        return [tree for trees in lists for tree in trees]
    except Refused as refused:
        if refused.answered == 403:
            return []
        raise


def grouped(observations: list[Tree], say: Say = str) -> list[Series]:
    """By their words, the kind measured last first. What an aide noticed is told as a visit, not as a measure;
    what was measured on something else than the person stands apart."""
    kinds: dict[tuple[str, str], list[Tree]] = {}
    for observation in sorted(observations, key=lambda tree: moments.happened(tree) or _NEVER, reverse=True):
        noticed = any(c.get("system") == codes.HOME_CARE for c in observation.get("code", {}).get("coding", []))
        if not reading.called_off(observation) and not noticed and reading.whole(observation):
            name = reading.name(observation)
            apart = [reading.code(observation) if name == reading.UNNAMED else "", *elsewhere(observation, say)]
            kinds.setdefault((name, ", ".join(filter(None, apart))), []).append(observation)
    return [Series(*kind, values[0], values[1:SHOWN]) for kind, values in kinds.items()]


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
        say = translations(language_of(request)).gettext
        bounds = f"{measure.low:g} – {measure.high:g} {measure.unit}.{example}"
        return await show(request, place, colon(say, say(measure.name), bounds), 400)
    await place.record.create(observation(measure, numbers, place.id, place.me, place.record.now()))
    return RedirectResponse(f"{place.path}/mesures", status_code=303)


def read_numbers(typed: str, measure: Measure) -> list[Decimal]:
    """The numbers typed, as many as the measure has, each within its bounds; none otherwise."""
    parts = [part.strip().replace(",", ".") for part in typed.split("/")]
    if len(parts) != max(1, len(measure.parts)) or not all(_NUMBER.fullmatch(part) for part in parts):
        return []
    numbers = [Decimal(part) for part in parts]
    falling = numbers == sorted(numbers, reverse=True)  # systolic before diastolic
    return numbers if falling and all(measure.low <= number <= measure.high for number in numbers) else []


def observation(measure: Measure, numbers: list[Decimal], patient: str, me: Me, at: datetime) -> Tree:
    """A vital sign measured at this moment by the person who is signed in."""
    category = {"coding": [{"system": CATEGORY, "code": "vital-signs", "display": "Signes vitaux"}]}

    def concept(code: str) -> Tree:
        name = reading.NAMES[code]
        return {"coding": [{"system": reading.LOINC, "code": code, "display": name}], "text": name}

    def quantity(number: Decimal) -> Tree:
        value = int(number) if number == number.to_integral_value() else float(number)
        return {"value": value, "unit": measure.unit, "system": "http://unitsofmeasure.org", "code": measure.ucum}

    tree: Tree = {
        "resourceType": "Observation",
        "status": "final",
        "category": [category],
        "code": concept(measure.code),
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": at.isoformat(timespec="seconds"),
        "performer": [{"reference": me.role_reference or me.person, "display": me.name}],
    }
    if measure.parts:
        pairs = zip(measure.parts, numbers, strict=True)
        parts = [{"code": concept(part), "valueQuantity": quantity(number)} for part, number in pairs]
        return {**tree, "component": parts}
    return {**tree, "valueQuantity": quantity(numbers[0])}
