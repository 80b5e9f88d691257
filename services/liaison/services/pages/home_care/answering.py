"""The answers of the visit form: read as they were typed, kept to what was asked, doubted where a slip is likely."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from starlette.datastructures import FormData

from liaison.protocols.answers import Answer, Item

Tree = dict[str, Any]

WHOEVER_IS_THERE: Final = frozenset({"start", "end", "presence", "note", "alert", "called"})
"""What is asked even when the person is not there; the form's enableWhen says the same."""
_WHOLE: Final = re.compile(r"-?[0-9]{1,6}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,4})?")
LARGE_GAP: Final = 3.0
"""Kilograms between two weights beyond which the page asks again."""


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


_REQUIRED: Final = _("Il manque une réponse.")
_UNREADABLE: Final = _("Cette réponse n'est pas reconnue.")
_OUT_OF_BOUNDS: Final = _("Ce nombre n'est pas possible. Vérifiez-le.")


def read_answers(form: FormData, questions: list[Item], today: datetime) -> dict[str, Answer]:
    """The answers by linkId, numbers with a comma or a point. What cannot be read stays text, and is refused by name."""
    answers: dict[str, Answer] = {}
    for item in questions:
        values = [str(value).strip() for value in form.getlist(item.link) if str(value).strip()]
        if not values:
            continue
        kind = item.tree["type"]
        if kind == "choice" and item.tree.get("repeats"):
            answers[item.link] = values
        elif kind == "integer":
            answers[item.link] = int(values[0]) if _WHOLE.fullmatch(values[0]) else values[0]
        elif kind == "decimal":
            answers[item.link] = _decimal(values[0])
        elif kind == "dateTime":
            answers[item.link] = _hour(values[0], today)
        else:
            answers[item.link] = values[0]
    return answers


def asked(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """Without what the form asks only of someone who is there, when they were not."""
    if answers.get("presence") in (None, "present"):
        return dict(answers)
    return {link: answer for link, answer in answers.items() if link in WHOEVER_IS_THERE}


def in_words(problem: str, gettext: Callable[[str], str]) -> str:
    """What the page says of a problem that the protocols found."""
    if problem == "an answer is required":
        return gettext(_REQUIRED)
    return gettext(_OUT_OF_BOUNDS if problem.startswith("between") else _UNREADABLE)


def weight_doubt(answers: Mapping[str, Answer], last: Tree | None) -> str:
    """The sentence that asks again when the weight is far from the last one; '' when it is not."""
    now, before = answers.get("weight"), (last or {}).get("valueQuantity", {}).get("value")
    if not isinstance(now, (int, float)) or not isinstance(before, (int, float)) or abs(now - before) <= LARGE_GAP:
        return ""
    return _("C'est loin du dernier poids. Vérifiez-le, corrigez-le s'il le faut, puis enregistrez de nouveau.")


def _decimal(text: str) -> float | str:
    plain = text.replace(",", ".")
    return float(plain) if _NUMBER.fullmatch(plain) else text


def _hour(text: str, today: datetime) -> str:
    """'08:30' is today in Paris; a whole dateTime stays as it is."""
    try:
        hour = datetime.strptime(text, "%H:%M").time()
    except ValueError:
        return text
    return today.replace(hour=hour.hour, minute=hour.minute, second=0, microsecond=0).isoformat()
