"""A home visit that was recorded, told back by its own parts: what its form says, and whether it may still be corrected.

Who wrote a visit corrects it for 24 hours (row 15 of the table of decisions), as long as the record still tells what was
filed: what somebody else has corrected, or an alert that has been seen, is not written over.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from liaison.protocols.alerts import reported_again
from liaison.protocols.answers import Answer, Item, flat, items
from liaison.protocols.filing import IN_ERROR, part, tells_the_same
from liaison.protocols.forms import form_of
from liaison.protocols.library import Library, shipped
from liaison.protocols.visit import Visit, parts, transaction

Tree = dict[str, Any]

WINDOW: Final = timedelta(hours=24)


class Obstacle(Enum):
    """Why a visit is not corrected any more."""

    AUTHOR = "somebody else wrote it"
    LATE = "it was written more than 24 hours ago"
    SEEN = "its alert has been seen"
    CHANGED = "somebody else has changed it"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the record holds of one visit. `since`: when it was first written, by the database's clock. `library`: with the form
    that was filled in."""

    parts: Mapping[str, Tree]
    since: datetime
    library: Library = field(default_factory=shipped)

    @property
    def encounter(self) -> Tree:
        return self.parts["encounter"]

    @property
    def response(self) -> Tree | None:
        """The answers; None where the reader does not see them."""
        return self.parts.get("response")


def by_part(visit: UUID, trees: Iterable[Tree]) -> dict[str, Tree]:
    """Those that this visit was filed as."""
    named = ((part(tree), tree) for tree in trees)
    return {name: tree for (number, name), tree in named if number == str(visit)}


def obstacle(library: Library, recorded: Recorded, aide: Tree, now: datetime) -> Obstacle | None:
    """Why this aide may not correct it; None when she may."""
    response = recorded.response
    if response is None or _author(response).get("reference") != aide["reference"]:
        return Obstacle.AUTHOR
    if now - recorded.since > WINDOW:
        return Obstacle.LATE
    alert = recorded.parts.get("alert")
    if alert is not None and (alert.get("status") != "requested" or "output" in alert):
        return Obstacle.SEEN
    if alert is not None and reported_again(alert):
        return Obstacle.CHANGED
    told = _told(library, response, recorded.encounter)
    for name in (told.keys() | recorded.parts.keys()) - {"alert"}:
        found = recorded.parts.get(name)
        stands = found is not None and found.get("status") != IN_ERROR
        if stands != (name in told) or (found is not None and stands and not tells_the_same(found, told[name])):
            return Obstacle.CHANGED
    return None


def amendment(library: Library, visit: Visit, recorded: Recorded) -> Tree:
    """The Bundle that makes what is recorded say what `visit` says; without an entry where it says so already. Only for
    a visit without an obstacle. Who, for whom and for which appointment stay as they were recorded. Raises Invalid."""
    encounter, response = recorded.encounter, recorded.response
    assert response is not None
    same = replace(
        visit,
        aide=_author(response),
        service=encounter.get("serviceProvider", {}),
        appointment=_appointment(encounter),
        asked=response.get("questionnaire", ""),
    )
    return transaction(library, same, recorded=recorded.parts)


def same_answers(some: Mapping[str, Answer], others: Mapping[str, Answer]) -> bool:
    """Whether two forms say the same, in whatever order the answers to one question were given."""
    return {link: _in_order(answer) for link, answer in some.items()} == {
        link: _in_order(answer) for link, answer in others.items()
    }


def _in_order(answer: Answer) -> Answer:
    return sorted(answer) if isinstance(answer, list) else answer


def says(library: Library, response: Tree, tree: Tree) -> bool:
    """Whether a part of a visit says what its form says, element for element: who reads the form has read it."""
    number, name = part(tree)
    if not number or part(response)[0] != number:
        return False
    told = _told(library, response, tree if tree["resourceType"] == "Encounter" else None)
    return name in told and tells_the_same(tree, told[name])


def answers_of(library: Library, response: Tree) -> dict[str, Answer]:
    """The answers of a recorded form, as they were given."""
    asked = {item.link: item for item in items(form_of(library, response.get("questionnaire", "")))}
    given = {item["linkId"]: item["answer"] for item in flat(response.get("item", [])) if item.get("answer")}
    read = {link: _answer(asked[link], given[link]) for link in given if link in asked}
    return {link: answer for link, answer in read.items() if answer is not None}


def _answer(item: Item, given: list[Tree]) -> Answer | None:
    values: list[Any] = [
        _plain(value) for one in given for key, value in one.items() if key.startswith("value") and value is not None
    ]
    if not values:
        return None
    several: list[str] = values
    one: Answer = values[0]
    return several if item.tree.get("repeats") else one


def _plain(value: Any) -> Any:
    """Of a Coding its code, of a Quantity its value."""
    if isinstance(value, dict):
        return _plain(value["value"]) if "value" in value else value.get("code")
    return float(value) if isinstance(value, Decimal) else value


def _told(library: Library, response: Tree, encounter: Tree | None) -> dict[str, Tree]:
    """What a visit of these answers is filed as. What only the Encounter says is taken from it."""
    answers = answers_of(library, response)
    if not {"start", "presence"} <= answers.keys():
        return {}
    known = encounter or {}
    visit = Visit(
        id=UUID(int=0),  # no part tells it, nor when it was recorded
        patient=response.get("subject", {}).get("reference", ""),
        aide=_author(response),
        service=known.get("serviceProvider", {}),
        answers=answers,
        recorded=datetime.min,
        appointment=_appointment(known),
        transcribed_by=response["author"] if "source" in response else None,
    )
    reference = str(response.get("encounter", {}).get("reference", ""))
    form = form_of(library, response.get("questionnaire", ""))
    made = parts(form, visit, reference, f"QuestionnaireResponse/{response['id']}")
    made["response"].update({key: response[key] for key in ("extension", "questionnaire") if key in response})
    return made


def _appointment(encounter: Tree) -> str:
    return next((str(one["reference"]) for one in encounter.get("appointment", []) if "reference" in one), "")


def _author(response: Tree) -> Tree:
    """Who was there: the source where somebody else typed it in."""
    found: Tree = response.get("source") or response.get("author") or {}
    return found
