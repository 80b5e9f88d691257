"""Answers to a Questionnaire: plain values by linkId, checked against it and turned into R4's answer shapes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.enabling import enabled, expected

Tree = dict[str, Any]
Answer = str | int | float | bool | list[str]
"""A code of a choice, several of them, a number, yes or no, a date, a dateTime or a text."""
UNKNOWN: Final = "unknown"
_CATEGORY: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observation-extract-category"
_UNIT: Final = "http://hl7.org/fhir/StructureDefinition/questionnaire-unit"
_LARGE_GAP: Final = f"{codes.LOCAL}/StructureDefinition/large-gap"
"""How far from the last value one is asked to look again (valueDecimal), in the unit of the question."""
_USUAL_GAPS: Final = {"29463-7": 3.0, "2708-6": 4.0}
"""That of a weight (kg) and of a saturation (%) whose question does not say it."""
_LEAST: Final = "http://hl7.org/fhir/StructureDefinition/minValue"
_MOST: Final = "http://hl7.org/fhir/StructureDefinition/maxValue"
_ONE: Final = {"system": "http://unitsofmeasure.org", "code": "1"}
_SURVEY: Final = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "survey"}]
}
_TYPES: Final = {
    "boolean": "Boolean",
    "integer": "Integer",
    "decimal": "Decimal",
    "date": "Date",
    "dateTime": "DateTime",
    "string": "String",
    "text": "String",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One question, with what its extensions say."""

    tree: Tree

    @property
    def link(self) -> str:
        return str(self.tree["linkId"])

    @property
    def text(self) -> str:
        return str(self.tree.get("text", ""))

    @property
    def codes(self) -> tuple[Tree, ...]:
        return tuple(self.tree.get("code", ()))

    @property
    def alone(self) -> bool:
        """Whether its answers say all by themselves: 'Porte close'."""
        return self.link in ("alert", "presence")

    @property
    def label(self) -> str:
        return str(self.codes[0].get("display", self.text)) if self.codes else self.text

    def _extension(self, url: str) -> Tree | None:
        return next((found for found in self.tree.get("extension", ()) if found.get("url") == url), None)

    @property
    def extract(self) -> bool:
        found = self._extension(codes.OBSERVATION_EXTRACT)
        return bool(found and found.get("valueBoolean"))

    @property
    def profile(self) -> str:
        """The profile of the Observation that the answer becomes, from the element that the item is defined by; '' for none."""
        return str(self.tree.get("definition", "")).partition("#")[0]

    @property
    def category(self) -> Tree:
        found = self._extension(_CATEGORY)
        return dict(found["valueCodeableConcept"]) if found else dict(_SURVEY)

    @property
    def unit(self) -> Tree | None:
        found = self._extension(_UNIT)
        return found["valueCoding"] if found else None

    @property
    def bounds(self) -> tuple[float | str | None, float | str | None]:
        """The least and the most that is believed, days as they are written; the page says what is beyond, and the server
        refuses it."""
        return (_bound(self._extension(_LEAST)), _bound(self._extension(_MOST)))

    @property
    def gap(self) -> float | None:
        """How far from the last value a second look is asked for; None where nobody asks."""
        found = self._extension(_LARGE_GAP)
        if found and self.codes:
            return float(found["valueDecimal"])
        return next((_USUAL_GAPS[one["code"]] for one in self.codes if one.get("code") in _USUAL_GAPS), None)

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Code and words of each answer that is chosen among."""
        if self.tree["type"] == "boolean":
            return (("true", "Oui"), ("false", "Non"))
        codings = [option.get("valueCoding", {}) for option in self.tree.get("answerOption", ())]
        return tuple((str(coding.get("code", "")), str(coding.get("display", ""))) for coding in codings)

    @property
    def usual(self) -> str:
        """The answer with nothing to report: the first of a choice, where it raises no alert; '' for none."""
        options = self.tree.get("answerOption", ())
        quiet = options and not any(one["url"] == codes.RAISES for one in options[0].get("extension", ()))
        return self.choices[0][0] if quiet and not self.tree.get("repeats") else ""

    @property
    def conditions(self) -> list[tuple[str, str, Any]]:
        """enableWhen, for the page: the question, the operator, the answer."""
        return [(str(one["question"]), str(one["operator"]), expected(one)) for one in self.tree.get("enableWhen", ())]

    @property
    def parts(self) -> "tuple[Item, ...]":
        """The questions of a group."""
        return tuple(Item(tree) for tree in self.tree.get("item", ()))

    def chosen(self, answer: Answer | None) -> list[Tree]:
        """The answer options that were chosen, in the order of the form."""
        wanted = answer if isinstance(answer, list) else [answer]
        return [
            option
            for option in self.tree.get("answerOption", ())
            if (option.get("valueCoding", {}).get("code") or option.get("valueString")) in wanted
        ]

    def answer(self, answer: Answer) -> list[Tree]:
        """QuestionnaireResponse.item.answer."""
        if self.tree["type"] == "choice":
            return [
                {name: value for name, value in option.items() if name.startswith("value")}
                for option in self.chosen(answer)
            ]
        if self.tree["type"] == "quantity":
            return [{"valueQuantity": self.quantity(answer)}]
        values = answer if isinstance(answer, list) else [answer]
        return [{f"value{_TYPES[self.tree['type']]}": value} for value in values]

    def quantity(self, value: Answer) -> Tree:
        """Scales are quantities in the Mesures guide: without a unit, UCUM 1."""
        unit = self.unit or _ONE
        told = {"unit": unit.get("display", unit["code"]), "system": unit["system"], "code": unit["code"]}
        return {"value": value, **told}


def items(form: Tree) -> Iterator[Item]:
    """Every question, groups opened."""
    for tree in form.get("item", ()):
        yield Item(tree)
        yield from items(tree)


def flat(given: Iterable[Tree]) -> Iterator[Tree]:
    """The answered questions of a QuestionnaireResponse, groups opened."""
    for tree in given:
        yield tree
        yield from flat(tree.get("item", ()))


def responded(form: Tree, answers: Mapping[str, Answer]) -> list[Tree]:
    """QuestionnaireResponse.item: in the order and with the groups of the form, with its words; of what was answered alone."""
    told = []
    for item in map(Item, form.get("item", ())):
        tree: Tree = {"linkId": item.link, **({"text": item.text} if item.text else {})}
        if item.tree["type"] == "group":
            if inner := responded(item.tree, answers):
                told.append({**tree, "item": inner})
        elif item.link in answers:
            told.append({**tree, "answer": item.answer(answers[item.link])})
    return told


def problems(form: Tree, answers: Mapping[str, Answer]) -> dict[str, str]:
    """What does not fit, by linkId: unknown questions and answers, missing ones, numbers out of bounds. What was not asked
    (enableWhen) is not missing, and is not answered."""
    known = {item.link: item for item in items(form) if item.tree["type"] != "group"}
    found = {link: "no such question" for link in answers if link not in known}
    asked = enabled(form, answers)
    for link, item in known.items():
        if link not in answers:
            if item.tree.get("required") and link in asked:
                found[link] = "an answer is required"
        elif text := _problem(item, answers[link]):
            found[link] = text
        elif link not in asked:
            found[link] = "not asked"
    return found


def value_of(item: Item, answer: Answer) -> Tree | None:
    """The value[x] of the Observation for this answer; None for 'unknown' and for nothing."""
    if item.tree["type"] == "choice":
        options = [option["valueCoding"] for option in item.chosen(answer) if "valueCoding" in option]
        options = [coding for coding in options if coding.get("code") != UNKNOWN]
        return {"valueCodeableConcept": {"coding": options, "text": options[0].get("display", "")}} if options else None
    kind = item.tree["type"]
    if kind in ("integer", "quantity") or (kind == "decimal" and item.unit is not None):
        return {"valueQuantity": item.quantity(answer)}
    if kind == "boolean":
        return {"valueBoolean": answer}
    if kind in ("date", "dateTime"):  # an Observation has one type for both
        return {"valueDateTime": answer}
    return {"valueString": str(answer)}


def _problem(item: Item, answer: Answer) -> str:
    kind = item.tree["type"]
    if kind == "choice":
        wanted = answer if isinstance(answer, list) else [answer]
        if len(wanted) > 1 and not item.tree.get("repeats"):
            return "one answer only"
        return "" if len(item.chosen(answer)) == len(set(wanted)) else "not one of the answers"
    if kind in ("integer", "decimal", "quantity"):
        allowed = (int,) if kind == "integer" else (int, float)
        if isinstance(answer, bool) or not isinstance(answer, allowed):
            return "a number is expected"
        return _outside(item, answer)
    if kind == "date":
        try:
            return _outside(item, date.fromisoformat(str(answer)).isoformat())
        except ValueError:
            return "a date is expected"
    if kind == "dateTime":
        try:
            moment = datetime.fromisoformat(str(answer))
        except ValueError:
            return "a date and hour are expected"
        return "" if moment.tzinfo else "an hour needs its offset"
    if kind == "boolean":
        return "" if isinstance(answer, bool) else "yes or no is expected"
    return "" if isinstance(answer, str) and len(answer) <= 4000 else "a text of at most 4,000 characters is expected"


def _outside(item: Item, answer: float | str) -> str:
    least, most = item.bounds
    below = least is not None and _compared(answer, least) < 0
    above = most is not None and _compared(answer, most) > 0
    return f"between {least} and {most}" if below or above else ""


def _compared(one: float | str, other: float | str) -> int:
    """Numbers with numbers, days (ISO 8601) with days."""
    if isinstance(one, str) or isinstance(other, str):
        return (str(one) > str(other)) - (str(one) < str(other))
    return (one > other) - (one < other)


def _bound(extension: Tree | None) -> float | str | None:
    if extension is None:
        return None
    if "valueDate" in extension:
        return str(extension["valueDate"])
    value = extension.get("valueInteger", extension.get("valueDecimal"))
    return None if value is None else float(value)
