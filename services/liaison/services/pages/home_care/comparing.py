"""Two sets of answers to the form of the visit, side by side, question by question."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from liaison.protocols.answers import Answer, Item, flat
from liaison.services.pages.reading import moments, visit_words
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.home_visit import answered

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One question: what was said before, what is said now; '' for no answer."""

    link: str
    question: str
    before: str
    now: str

    @property
    def same(self) -> bool:
        return self.before == self.now


def as_items(questions: Sequence[Item], answers: Mapping[str, Answer]) -> list[Tree]:
    """Answers as a QuestionnaireResponse would hold them."""
    return [
        {"linkId": item.link, "text": item.text, "answer": item.answer(answers[item.link])}
        for item in questions
        if item.link in answers
    ]


def rows(before: Sequence[Tree], now: Sequence[Tree], say: Say = str) -> list[Row]:
    """Every question that one of the two answers, in the order of the form as far as that is known."""
    old, new = ({str(item.get("linkId")): item for item in flat(some) if "answer" in item} for some in (before, now))
    ordered = sorted({**old, **new}, key=lambda link: _place(link, new, old))
    return [_row(link, old.get(link, {}), new.get(link, {}), say) for link in ordered]


def lines(compared: Sequence[Row]) -> Iterator[str]:
    """What is said now where it differs, a line each; the aide's own words last and as they are."""
    for row in compared:
        if not row.same and row.link != "note":
            yield f"{row.question}{' ' if row.question.endswith('?') else ' : '}{row.now or 'sans réponse'}"
    yield from (row.now for row in compared if row.link == "note" and row.now)


def _place(link: str, *known: Mapping[str, Tree]) -> tuple[int, int]:
    found = [list(some).index(link) for some in known if link in some]
    return (int(link == "note"), found[0])


def _row(link: str, old: Tree, new: Tree, say: Say) -> Row:
    question = visit_words.said(str(new.get("text") or old.get("text") or "").strip(), say)
    return Row(link, question, _words(old, say), _words(new, say))


def _words(item: Tree, say: Say) -> str:
    return ", ".join(text for answer in item.get("answer", []) if (text := _answer(answer, say)))


def _answer(answer: Tree, say: Say) -> str:
    if text := answer.get("valueDateTime"):
        return moments.moment(str(text)).strftime("%d/%m/%Y %H:%M")
    return answered(answer, say)
