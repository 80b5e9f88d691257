"""A home visit in one line: what was out of the ordinary, what was done, and the aide's own words.

What is ordinary is said by the form itself: the first answer of each of its questions of state.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

from liaison.protocols import library
from liaison.protocols.amending import says
from liaison.protocols.answers import flat, items
from liaison.protocols.filing import IN_ERROR, part
from liaison.protocols.forms import READY, is_visit
from liaison.protocols.library import Library
from liaison.protocols.visit import PAPER
from liaison.services.pages.marking import _
from liaison.services.pages.reading import values, visit_words
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.punctuation import colon, quoted

Tree = dict[str, Any]


_DONE: Final = _("Fait")
_DONE_LINKS: Final = frozenset({"tasks", "called"})
_UNSAID: Final = frozenset({"start", "end"})
_TELLING: Final = frozenset({"completed", "amended"})
_CORRECTED: Final = frozenset({"amended", "corrected"})


@cache
def _ordinary() -> frozenset[str]:
    questions = [item.tree for model in READY.values() for item in items(library.shipped().tree(model))]
    states = [q for q in questions if q["type"] == "choice" and not q.get("repeats")]
    return frozenset(str(q["answerOption"][0]["valueCoding"]["code"]) for q in states)


def is_one(response: Tree) -> bool:
    """Whether these are the answers of the visit form. Of another form nothing is ordinary, and all is said."""
    return is_visit(str(response.get("questionnaire", "")))


def told_by(trees: Iterable[Tree], known: Library) -> Callable[[Tree], bool]:
    """Whether one of the forms among these tells a resource already: its visit filed both, which their identifiers say,
    and it was not corrected since but by the form itself. What anybody else wrote of the same encounter or the same form
    is told apart. `known`: the library with those forms."""
    forms = [
        tree
        for tree in trees
        if tree["resourceType"] == "QuestionnaireResponse" and is_one(tree) and tree.get("status") in _TELLING
    ]

    def told_already(tree: Tree) -> bool:
        number = part(tree)[0]
        if not number or tree["resourceType"] == "QuestionnaireResponse" or tree.get("status") == IN_ERROR:
            return False
        first = str((tree.get("meta") or {}).get("versionId", "1")) == "1" and tree.get("status") not in _CORRECTED
        return any(
            (first and form.get("status") == "completed") or says(known, form, tree)
            for form in forms
            if part(form)[0] == number
        )

    return told_already


def told(response: Tree, say: Say = str) -> str:
    """'Le souffle : Plus court que d'habitude. Le reste comme d'habitude. Fait : Lever, Toilette. « … »'"""
    notable, tasks, words, ordinary = [], "", "", False
    for item in flat(response.get("item", [])):
        answers, link = item.get("answer", []), item.get("linkId")
        given = [text for answer in answers if (text := answered(answer, say))]
        if not given or link in _UNSAID:
            continue
        codes = {(answer.get("valueCoding") or {}).get("code") for answer in answers}
        if link == "note":
            words = quoted(given[0], say)
        elif link == "tasks":
            tasks = colon(say, say(_DONE), f"{', '.join(given)}.")
        elif codes <= _ordinary():
            ordinary |= link != "presence"
        else:
            question = visit_words.said(str(item.get("text", "")).strip(), say)
            said = f"{', '.join(given)}."
            notable.append(f"{question} {said}" if question.endswith("?") else colon(say, question, said))
    if ordinary:
        notable.append(say(_("Le reste comme d'habitude.")) if notable else say(_("Comme d'habitude.")))
    paper = (
        say(_("Transcrit du papier.")) if any(one.get("url") == PAPER for one in response.get("extension", [])) else ""
    )
    return " ".join(part for part in (*notable, tasks, words, paper) if part)


def quiet(response: Tree) -> bool:
    """Whether somebody was there and every question of state that was answered has its ordinary answer: no alert, no words."""
    links = set()
    for item in flat(response.get("item", [])):
        given = {(one.get("valueCoding") or {}).get("code") for one in item.get("answer", [])}
        links.add(item.get("linkId"))
        if item.get("linkId") in ("alert", "note") and item.get("answer"):
            return False
        if None not in given and item.get("linkId") not in _DONE_LINKS and given and not given <= _ordinary():
            return False
    return "presence" in links


def answered(answer: Tree, say: Say = str) -> str:
    """The words of one answer, a number with its comma; those of our form in the reader's language."""
    told = values.told(answer, say)
    return visit_words.said(told, say) if "valueCoding" in answer else told
