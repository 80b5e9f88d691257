"""The answers of the visit form: read as they were typed, kept to what was asked, doubted where a slip is likely."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.datastructures import FormData

from liaison.protocols.answers import Answer, Item, items
from liaison.protocols.enabling import enabled
from liaison.services.pages.clock import PARIS
from liaison.services.pages.marking import _

Tree = dict[str, Any]

_WHOLE: Final = re.compile(r"-?[0-9]{1,6}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,4})?")
_SAID: Final = {"true": True, "false": False}
AHEAD: Final = timedelta(minutes=5)
"""By how much the clock of a phone may run before the database's."""
BEHIND: Final = timedelta(days=1)
"""How old a visit may be when it is told."""
LONGEST: Final = timedelta(hours=6)
"""How long ago a visit may have begun that is told after midnight by its hour alone."""


_REQUIRED: Final = _("Il manque une réponse.")
_UNREADABLE: Final = _("Cette réponse n'est pas reconnue.")
_FAR: Final = _("C'est loin de la dernière mesure. Vérifiez, corrigez s'il le faut, puis enregistrez de nouveau.")
_OUT_OF_BOUNDS: Final = _("Ce nombre n'est pas possible. Vérifiez-le.")


def read_answers(form: FormData, questions: list[Item], today: datetime) -> dict[str, Answer]:
    """The answers by linkId, numbers with a comma or a point. What cannot be read stays text, and is refused by name."""
    answers: dict[str, Answer] = {}
    for item in questions:
        values = [str(value).strip() for value in form.getlist(item.link) if str(value).strip()]
        kind = item.tree["type"]
        if not values or kind == "group":
            continue
        if kind == "choice" and item.tree.get("repeats"):
            answers[item.link] = values
        elif kind == "integer":
            answers[item.link] = int(values[0]) if _WHOLE.fullmatch(values[0]) else values[0]
        elif kind in ("decimal", "quantity"):
            answers[item.link] = _decimal(values[0])
        elif kind == "boolean":
            answers[item.link] = _SAID.get(values[0], values[0])
        elif kind == "dateTime":
            answers[item.link] = _hour(values[0], today)
        else:
            answers[item.link] = values[0]
    return answers


def answered(filled: FormData, form: Tree, today: datetime) -> dict[str, Answer]:
    """What was filled in of this form, without what it does not ask after these answers (enableWhen): of someone who was not
    there, or where another answer makes a question needless."""
    answers = read_answers(filled, [*items(form)], today)
    if "presence" not in answers:  # whatever else was said is kept until that is
        return answers
    asked = enabled(form, answers)
    return {link: answer for link, answer in answers.items() if link in asked}


def in_words(problem: str, gettext: Callable[[str], str]) -> str:
    """What the page says of a problem that the protocols found."""
    if problem == "an answer is required":
        return gettext(_REQUIRED)
    return gettext(_OUT_OF_BOUNDS if problem.startswith("between") else _UNREADABLE)


def doubts(form: Tree, answers: Mapping[str, Answer], last: Mapping[str, Tree]) -> dict[str, str]:
    """The sentence that asks again, by linkId, where a measure is far from the last one. `last`: those, by linkId."""
    return {item.link: _FAR for item in items(form) if _is_far(item, answers.get(item.link), last.get(item.link))}


def _is_far(item: Item, now: Answer | None, last: Tree | None) -> bool:
    before = (last or {}).get("valueQuantity", {}).get("value")
    if item.gap is None or before is None or isinstance(now, bool) or not isinstance(now, (int, float)):
        return False
    return abs(now - float(before)) > item.gap


def same_start(answers: Mapping[str, Answer], typed: str, recorded: Tree) -> dict[str, Answer]:
    """With the beginning of the recorded visit where that is the hour that was typed: after midnight, sending a form again
    does not move its visit to another day."""
    start = moment(str(recorded.get("period", {}).get("start", "")))
    same = start is not None and start.strftime("%H:%M") == typed.strip()
    return {**answers, "start": recorded["period"]["start"]} if same else dict(answers)


def out_of_time(answers: Mapping[str, Answer], now: datetime, recorded: Tree | None) -> dict[str, str]:
    """What is wrong with when the visit was, by linkId: not before a day ago, not after now. The hour that is recorded of
    this visit already was right when it was typed."""
    known = (recorded or {}).get("period", {})
    start, end = moment(str(answers["start"])), moment(str(answers.get("end", "")))
    found: dict[str, str] = {}
    if start is not None and answers["start"] != known.get("start"):
        if start > now + AHEAD:
            found["start"] = _("Cette heure n'est pas encore passée. Vérifiez-la.")
        elif start < now - BEHIND:
            found["start"] = _("C'était il y a plus d'un jour. Vérifiez l'heure, ou appelez votre service.")
    if start is not None and end is not None and (end < start or end > now + AHEAD):
        found["end"] = _("Cette heure n'est pas possible. Vérifiez-la.")
    return found


def moment(text: str) -> datetime | None:
    """A dateTime of the form on the clock of Paris; None for what is none."""
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(PARIS) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _decimal(text: str) -> float | str:
    plain = text.replace(",", ".")
    return float(plain) if _NUMBER.fullmatch(plain) else text


def _hour(text: str, today: datetime) -> str:
    """'08:30' is today in Paris, and just after midnight '23:50' is the evening before; a whole dateTime stays as it is."""
    try:
        hour = datetime.strptime(text, "%H:%M").time()
    except ValueError:
        return text
    here = today.replace(hour=hour.hour, minute=hour.minute, second=0, microsecond=0)
    before = here - timedelta(days=1)
    return (before if here > today + AHEAD and today - before <= LONGEST else here).isoformat()
