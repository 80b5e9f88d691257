"""A home visit in one line: what was out of the ordinary, what was done, and the aide's own words.

What is ordinary is said by the form itself: the first answer of each of its questions of state.
"""

from functools import cache
from typing import Any, Final

from liaison.protocols import library
from liaison.protocols.answers import items
from liaison.protocols.visit import FORM
from liaison.services.pages.reading.concepts import label

Tree = dict[str, Any]

_UNSAID: Final = frozenset({"start", "end"})


@cache
def _ordinary() -> frozenset[str]:
    questions = [item.tree for item in items(library.shipped().tree(FORM))]
    states = [q for q in questions if q["type"] == "choice" and not q.get("repeats")]
    return frozenset(str(q["answerOption"][0]["valueCoding"]["code"]) for q in states)


def is_one(response: Tree) -> bool:
    """Whether these are the answers of the visit form. Of another form nothing is ordinary, and all is said."""
    return str(response.get("questionnaire", "")).partition("|")[0] == FORM


def told(response: Tree) -> str:
    """'Le souffle : Plus court que d'habitude. Le reste comme d'habitude. Fait : Lever, Toilette. « … »'"""
    notable, tasks, words, ordinary = [], "", "", False
    for item in response.get("item", []):
        answers, link = item.get("answer", []), item.get("linkId")
        given = [text for answer in answers if (text := answered(answer))]
        if not given or link in _UNSAID:
            continue
        codes = {answer.get("valueCoding", {}).get("code") for answer in answers}
        if link == "note":
            words = f"« {given[0]} »"
        elif link == "tasks":
            tasks = f"Fait : {', '.join(given)}."
        elif codes <= _ordinary():
            ordinary |= link != "presence"
        else:
            question = str(item.get("text", "")).strip()
            notable.append(f"{question}{' ' if question.endswith('?') else ' : '}{', '.join(given)}.")
    if ordinary:
        notable.append("Le reste comme d'habitude." if notable else "Comme d'habitude.")
    return " ".join(part for part in (*notable, tasks, words) if part)


def answered(answer: Tree) -> str:
    """The words of one answer, a number with its comma."""
    if "valueCoding" in answer:
        return label(answer["valueCoding"])
    found = next((answer[name] for name in answer if name.startswith("value")), "")
    return str(found).replace(".", ",") if isinstance(found, float) else str(found)
