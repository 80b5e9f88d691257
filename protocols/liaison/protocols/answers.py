"""Answers to a Questionnaire: plain values by linkId, checked against it and turned into R4's answer shapes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from liaison.protocols import codes

Tree = dict[str, Any]
Answer = str | int | float | bool | list[str]
"""A code of a choice, several of them, a number, a dateTime or a text."""

UNKNOWN: Final = "unknown"
_CATEGORY: Final = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observation-extract-category"
_UNIT: Final = "http://hl7.org/fhir/StructureDefinition/questionnaire-unit"
_LEAST: Final = "http://hl7.org/fhir/StructureDefinition/minValue"
_MOST: Final = "http://hl7.org/fhir/StructureDefinition/maxValue"
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
    def bounds(self) -> tuple[float | None, float | None]:
        """The least and the most that is believed; beyond them the page asks again, and the server refuses."""
        least, most = self._extension(_LEAST), self._extension(_MOST)
        return (_number(least), _number(most))

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
        values = answer if isinstance(answer, list) else [answer]
        return [{f"value{_TYPES[self.tree['type']]}": value} for value in values]


def items(form: Tree) -> Iterator[Item]:
    """Every question, groups opened."""
    for tree in form.get("item", ()):
        yield Item(tree)
        yield from items(tree)


def problems(form: Tree, answers: Mapping[str, Answer]) -> dict[str, str]:
    """What does not fit, by linkId: unknown questions and answers, missing ones, numbers out of bounds."""
    known = {item.link: item for item in items(form)}
    found = {link: "no such question" for link in answers if link not in known}
    for link, item in known.items():
        if link not in answers:
            if item.tree.get("required"):
                found[link] = "an answer is required"
        elif text := _problem(item, answers[link]):
            found[link] = text
    return found


def value_of(item: Item, answer: Answer) -> Tree | None:
    """The value[x] of the Observation for this answer; None for 'unknown' and for nothing."""
    if item.tree["type"] == "choice":
        options = [option["valueCoding"] for option in item.chosen(answer) if "valueCoding" in option]
        options = [coding for coding in options if coding.get("code") != UNKNOWN]
        return {"valueCodeableConcept": {"coding": options, "text": options[0].get("display", "")}} if options else None
    if item.tree["type"] == "decimal" and item.unit is not None:
        unit = item.unit
        return {
            "valueQuantity": {
                "value": answer,
                "unit": unit.get("display", unit["code"]),
                "system": unit["system"],
                "code": unit["code"],
            }
        }
    if item.tree["type"] == "integer":
        # Scales are quantities in the Mesures guide: UCUM 1.
        return {"valueQuantity": {"value": answer, "unit": "1", "system": "http://unitsofmeasure.org", "code": "1"}}
    return {"valueString": str(answer)}


def _problem(item: Item, answer: Answer) -> str:
    kind = item.tree["type"]
    if kind == "choice":
        wanted = answer if isinstance(answer, list) else [answer]
        if len(wanted) > 1 and not item.tree.get("repeats"):
            return "one answer only"
        return "" if len(item.chosen(answer)) == len(set(wanted)) else "not one of the answers"
    if kind in ("integer", "decimal"):
        allowed = (int,) if kind == "integer" else (int, float)
        if isinstance(answer, bool) or not isinstance(answer, allowed):
            return "a number is expected"
        least, most = item.bounds
        outside = (least is not None and answer < least) or (most is not None and answer > most)
        return f"between {least:g} and {most:g}" if outside and least is not None and most is not None else ""
    if kind == "dateTime":
        try:
            moment = datetime.fromisoformat(str(answer))
        except ValueError:
            return "a date and hour are expected"
        return "" if moment.tzinfo else "an hour needs its offset"
    if kind == "boolean":
        return "" if isinstance(answer, bool) else "yes or no is expected"
    return "" if isinstance(answer, str) and len(answer) <= 4000 else "a text of at most 4,000 characters is expected"


def _number(extension: Tree | None) -> float | None:
    if extension is None:
        return None
    value = extension.get("valueInteger", extension.get("valueDecimal"))
    return None if value is None else float(value)
