"""A form of a home visit that asks, beside what it must, one question of every type that the telephone shows."""

from copy import deepcopy
from typing import Any, Final

Tree = dict[str, Any]
_FHIR: Final = "http://hl7.org/fhir/StructureDefinition"
_HERE: Final = {
    "question": "presence",
    "operator": "=",
    "answerCoding": {"system": "https://liaison.example/fhir/CodeSystem/home-care", "code": "present"},
}


def _bounds(kind: str, least: object, most: object) -> list[Tree]:
    return [{"url": f"{_FHIR}/minValue", f"value{kind}": least}, {"url": f"{_FHIR}/maxValue", f"value{kind}": most}]


def _unit(code: str) -> Tree:
    return {
        "url": f"{_FHIR}/questionnaire-unit",
        "valueCoding": {"system": "http://unitsofmeasure.org", "code": code, "display": code},
    }


def _options() -> list[Tree]:
    words = {"c1": "Une fois", "c2": "Deux fois", "c3": "Plus souvent"}
    return [{"valueCoding": {"system": "urn:x", "code": code, "display": said}} for code, said in words.items()]


EXTRA: Final[list[Tree]] = [
    {"linkId": "x-choice", "type": "choice", "text": "Combien de fois ?", "answerOption": _options()},
    {"linkId": "x-several", "type": "choice", "repeats": True, "text": "Quand ?", "answerOption": _options()},
    {"linkId": "x-boolean", "type": "boolean", "text": "A-t-elle de l'appétit ?"},
    {"linkId": "x-integer", "type": "integer", "text": "Verres d'eau", "extension": _bounds("Integer", 0, 10)},
    {
        "linkId": "x-group",
        "type": "group",
        "text": "Ce qui se mesure",
        "item": [
            {
                "linkId": "x-quantity",
                "type": "quantity",
                "text": "Urines",
                "code": [{"system": "http://loinc.org", "code": "9192-6", "display": "Urines"}],
                "extension": [
                    _unit("L"),
                    *_bounds("Decimal", 0.5, 5),
                    {"url": "https://liaison.example/fhir/StructureDefinition/large-gap", "valueDecimal": 1},
                    {
                        "url": "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-observationExtract",
                        "valueBoolean": True,
                    },
                ],
            },
        ],
    },
    {
        "linkId": "x-decimal",
        "type": "decimal",
        "text": "Température",
        "extension": [_unit("Cel"), *_bounds("Decimal", 35, 42)],
    },
    {
        "linkId": "x-date",
        "type": "date",
        "text": "Dernière douche",
        "extension": _bounds("Date", "2020-01-01", "2030-12-31"),
    },
    {
        "linkId": "x-text",
        "type": "text",
        "text": "Ce qu'elle aime manger",
        "enableWhen": [_HERE, {"question": "x-boolean", "operator": "=", "answerBoolean": True}],
        "enableBehavior": "all",
    },
    {"linkId": "x-string", "type": "string", "text": "Son dessert", "enableWhen": [_HERE]},
]
ANSWERS: Final[dict[str, Any]] = {
    "x-choice": "c2",
    "x-several": ["c1", "c3"],
    "x-boolean": True,
    "x-integer": 4,
    "x-quantity": 1.5,
    "x-decimal": 37.2,
    "x-date": "2026-11-28",
    "x-text": "La purée",
    "x-string": "Une pomme",
}


def every_type(model: Tree) -> Tree:
    """The model with a question of every type before its words for the team."""
    form = deepcopy(model)
    at = next(n for n, one in enumerate(form["item"]) if one["linkId"] == "note")
    form["item"][at:at] = deepcopy(EXTRA)
    return form
