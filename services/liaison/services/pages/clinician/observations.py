"""Measures: a table by kind with the last values, and the form that adds one."""

import asyncio
import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import adopted
from liaison.auth.access.classes import Class
from liaison.fhir.errors import BadRequest
from liaison.protocols import codes
from liaison.protocols.library import shipped
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.clinician.place import Place, own_place
from liaison.services.pages.clinician.thresholds import Threshold, thresholds, watched_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
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
    """What can be typed here: code, unit shown, UCUM, and the bounds outside of which it is surely a slip. Without a unit it is a
    score, told by its bounds."""

    code: str
    unit: str
    ucum: str
    low: int
    high: int
    parts: tuple[str, ...] = ()
    example: str = ""
    system: str = reading.LOINC
    words: str = ""
    category: tuple[str, str] = ("vital-signs", "Signes vitaux")
    written_as: Class = Class.VITAL

    @property
    def name(self) -> str:
        return self.words or reading.NAMES[self.code]

    @property
    def hint(self) -> str:
        return self.unit or f"{self.low} – {self.high}"


_PRESSURES: Final = (reading.SYSTOLIC, reading.DIASTOLIC)
MMRC: Final = "870179002"
_SURVEY: Final = ("survey", "Questionnaire")
TYPED: Final = {
    measure.code: measure
    for measure in (
        Measure("29463-7", "kg", "kg", 20, 300),
        Measure("85354-9", "mmHg", "mm[Hg]", 30, 280, _PRESSURES, "128/76"),
        Measure("2708-6", "%", "%", 40, 100),
        Measure("8867-4", "/min", "/min", 20, 250),
        Measure("8310-5", "°C", "Cel", 30, 43),
        # What a COPD programme is steered by, under the words that other software of the territory sends.
        Measure("total", "", "", 0, 40, system=f"{codes.LOCAL}/CodeSystem/cat", words=_("CAT, score total"),
                category=_SURVEY, written_as=Class.SYNTH),
        Measure(MMRC, "", "", 0, 4, system="http://snomed.info/sct", words=_("Essoufflement (mMRC)"),
                category=_SURVEY, written_as=Class.SYNTH),
        Measure("20152-5", "%", "%", 5, 150, words=_("VEMS après bronchodilatateur, en % de la valeur prédite"),
                category=("procedure", "Examen"), written_as=Class.SYNTH),
    )
}  # fmt: skip
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


async def show(request: Request, place: Place, error: str = "", wrong: str = "") -> Response:
    record = place.record
    patient = await patient_or_404(record, place.id)
    table = await adopted.in_force(request.app.state.house.database)
    say = translations(language_of(request)).gettext
    observations, watched = await asyncio.gather(last_of_each(record, place.id), watched_of(place))
    return render(
        request,
        "clinician/measures.html",
        status=400 if error else 200,
        place=place,
        patient=patient,
        who=identity(patient),
        today=record.now().date(),
        series=[
            replace(one, thresholds=thresholds([one.last, *one.before], watched, record.now()))
            for one in grouped(observations, say)
        ],
        typed=[one for one in TYPED.values() if place.writes and writes(table, place.me.role_code, one.written_as)],
        error=error,
        wrong=wrong,
        degrees=mmrc_words(),
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


@cache
def mmrc_words() -> tuple[str, ...]:
    """What each degree of breathlessness is, from 0 on, as the form of the library has it."""
    [item] = shipped().tree(f"{codes.LOCAL}/Questionnaire/mmrc")["item"]
    return tuple(str(option["valueCoding"]["display"]) for option in item["answerOption"])


async def add(request: Request) -> Response:
    place = await own_place(request)
    await patient_or_404(place.record, place.id)
    form = await request.form()
    measure = TYPED.get(str(form.get("code", "")))
    if measure is None:
        raise BadRequest("code is not one of the measures of this form")
    say = translations(language_of(request)).gettext
    now = place.record.now()
    try:
        at = taken_at(str(form.get("day", "")), now)
    except ValueError:
        return await show(request, place, say(_("Donnez le jour : aujourd'hui, ou avant.")), "day")
    numbers = read_numbers(str(form.get("value", "")), measure)
    if not numbers:
        example = f" {measure.example}" if measure.example else ""
        bounds = f"{f'{measure.low:g} – {measure.high:g} {measure.unit}'.rstrip()}.{example}"
        return await show(request, place, colon(say, say(measure.name), bounds), "value")
    await place.record.create(observation(measure, numbers, place.id, place.me, at))
    return RedirectResponse(f"{place.path}/mesures", status_code=303)


def taken_at(day: str, now: datetime) -> str:
    """When it was measured: now, or a day before. Raises ValueError for what is no day, or is to come."""
    at = date.fromisoformat(day) if day else now.date()
    if at > now.date():
        raise ValueError(day)
    return now.isoformat(timespec="seconds") if at == now.date() else at.isoformat()


def read_numbers(typed: str, measure: Measure) -> list[Decimal]:
    """The numbers typed, as many as the measure has, each within its bounds; none otherwise."""
    parts = [part.strip().replace(",", ".") for part in typed.split("/")]
    if len(parts) != max(1, len(measure.parts)) or not all(_NUMBER.fullmatch(part) for part in parts):
        return []
    if not measure.unit and not parts[0].isdecimal():
        return []  # a score has no half
    numbers = [Decimal(part) for part in parts]
    falling = numbers == sorted(numbers, reverse=True)  # systolic before diastolic
    return numbers if falling and all(measure.low <= number <= measure.high for number in numbers) else []


def observation(measure: Measure, numbers: list[Decimal], patient: str, me: Me, at: str) -> Tree:
    """What the person who is signed in measured, or noted, at that moment or on that day."""
    code, display = measure.category

    def concept(code: str, system: str, name: str) -> Tree:
        return {"coding": [{"system": system, "code": code, "display": name}], "text": name}

    def quantity(number: Decimal) -> Tree:
        value = int(number) if number == number.to_integral_value() else float(number)
        return {"value": value, "unit": measure.unit, "system": "http://unitsofmeasure.org", "code": measure.ucum}

    tree: Tree = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": CATEGORY, "code": code, "display": display}]}],
        "code": concept(measure.code, measure.system, measure.name),
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": at,
        "performer": [{"reference": me.role_reference or me.person, "display": me.name}],
    }
    if measure.parts:
        pairs = zip(measure.parts, numbers, strict=True)
        parts = [
            {"code": concept(part, reading.LOINC, reading.NAMES[part]), "valueQuantity": quantity(number)}
            for part, number in pairs
        ]
        return {**tree, "component": parts}
    if measure.unit:
        return {**tree, "valueQuantity": quantity(numbers[0])}
    score = int(numbers[0])
    note = {"note": [{"text": mmrc_words()[score]}]} if measure.code == MMRC else {}
    return {**tree, "valueInteger": score, **note}
