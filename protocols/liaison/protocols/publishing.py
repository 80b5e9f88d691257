"""A home service makes a form its own: the order and the words of its questions, and which of them it asks.

What a question means stays that of the model: its codes, its alert levels, its unit, what becomes an Observation. `refusals` names each
item that the telephone could not show, or that would mean something else; with none the form can be published.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.answers import UNKNOWN, Item, items
from liaison.protocols.enabling import OPERATORS, ORDERED
from liaison.protocols.forms import FIXED, NEEDED
from liaison.protocols.library.known import known
from liaison.protocols.library.library import Library

Tree = dict[str, Any]

SHOWN: Final = frozenset(
    {"choice", "boolean", "integer", "decimal", "quantity", "date", "dateTime", "text", "string", "group"}
)
RESERVED: Final = frozenset(
    {"csrf", "visit", "appointment", "another", "asked", "others", "aide", "jour", "unfinished", "visit-added-to"}
)
"""Names that the pages' own fields have."""
MOST_CHOICES: Final = 5
"""Answers of one question, « Je ne sais pas » beside them."""
MOST_TICKED: Final = 10
"""Answers of which several are ticked."""
MOST_ITEMS: Final = 40
LONGEST: Final = 200
_CONDITIONS: Final = frozenset(
    {"answerBoolean", "answerDecimal", "answerInteger", "answerDate", "answerString", "answerCoding", "answerQuantity"}
)
_WITHOUT_ORDER: Final = frozenset({"answerBoolean", "answerCoding", "answerString"})
MEASURED: Final = ("integer", "decimal", "quantity", "date")
"""Types that have bounds."""


class Why(Enum):
    """Why an item is refused."""

    TYPE = "the telephone has no way to show this type"
    NO_LINK = "an item needs a linkId of its own"
    NO_WORDS = "a question without words"
    TOO_LONG = "words that do not fit on the screen"
    NO_CHOICES = "a choice without answers, or whose answers have no code and words"
    UNKNOWN_CODE = "a code of ours that is not in its list"
    TOO_MANY_CHOICES = "more answers than the screen takes"
    TOO_MANY_ITEMS = "more questions than a visit takes"
    REPEATS = "several answers to something that is no choice"
    NESTED = "a group in a group, or a question below a question"
    EMPTY = "a group without questions"
    UNIT = "a quantity without its unit"
    BOUNDS = "a least that is above the most"
    CONDITION_ON_NOTHING = "a condition on a question that is not there"
    CONDITION = "a condition that the telephone does not compare"
    BEHAVIOR = "several conditions, and it is not said whether all or any"
    MISSING = "a question that the telephone cannot do without"
    RED_REMOVED = "a question of which an answer raises a red alert is gone"
    LEVEL = "an alert level that is not the model's"
    CHANGED = "it does not mean what it means in the model"
    ALERT = "an alert level that does not exist"


@dataclass(frozen=True, slots=True)
class Refusal:
    """`words`: what the item says, for whoever reads why; '' where it has none."""

    link: str
    words: str
    why: Why


def refusals(form: Tree, model: Tree, library: Library) -> list[Refusal]:
    """In the order of the form, what is missing last. `library`: the models, and the lists of codes."""
    found = list(items(form))
    links = Counter(str(item.tree.get("linkId", "")) for item in found)
    own = {item.link: item for item in items(model)}
    said = [
        Refusal(str(item.tree.get("linkId", "")), item.text, why)
        for item in found
        for why in dict.fromkeys(_of(item, links, library, own))
    ]
    top = [*form.get("item", ())]
    said += [
        Refusal(str(below.get("linkId", "")), str(below.get("text", "")), Why.NESTED)
        for tree in top
        for below in tree.get("item", ())
        if below.get("item") or tree.get("type") != "group"
    ]
    if len(found) > MOST_ITEMS:
        said.append(Refusal("", "", Why.TOO_MANY_ITEMS))
    at_top = {tree.get("linkId") for tree in top}
    said += [Refusal(link, own[link].text, Why.MISSING) for link in NEEDED if link not in at_top]
    said += [
        Refusal(item.link, item.text, Why.RED_REMOVED)
        for item in own.values()
        if item.link not in links and item.link not in NEEDED and "RED" in levels(item).values()
    ]
    return said


def levels(item: Item) -> dict[str, str]:
    """The alert level that each code of a choice raises."""
    return {
        str((option.get("valueCoding") or {}).get("code", "")): str(extension["valueCoding"]["code"])
        for option in item.tree.get("answerOption", ())
        for extension in option.get("extension", ())
        if extension["url"] == codes.RAISES
    }


def _of(item: Item, links: Mapping[str, int], library: Library, own: Mapping[str, Item]) -> Iterator[Why]:
    tree = item.tree
    kind = tree.get("type")
    if kind not in SHOWN or (kind == "dateTime" and tree.get("linkId") not in FIXED):
        yield Why.TYPE
    link = str(tree.get("linkId", ""))
    if links[link] > 1 or link in RESERVED or not link.replace("-", "").isalnum() or not link.isascii():
        yield Why.NO_LINK
    if not item.text.strip() and kind != "group":
        yield Why.NO_WORDS
    yield from _choices(item, library)
    if tree.get("repeats") and kind != "choice":
        yield Why.REPEATS
    if kind == "group" and not tree.get("item"):
        yield Why.EMPTY
    if kind == "quantity" and item.unit is None:
        yield Why.UNIT
    if kind in MEASURED:
        least, most = item.bounds
        if least is not None and most is not None and (type(least) is not type(most) or least > most):  # type: ignore[operator]  # of one type by then
            yield Why.BOUNDS
    yield from _conditions(tree, links)
    if link in own:
        if levels(item) != levels(own[link]):
            yield Why.LEVEL
        elif _meaning(tree) != _meaning(own[link].tree):
            yield Why.CHANGED


def _choices(item: Item, library: Library) -> Iterator[Why]:
    tree = item.tree
    words = [item.text]
    options = [option.get("valueCoding") or {} for option in tree.get("answerOption", ())]
    if tree.get("type") == "choice":
        words += [str(coding.get("display", "")) for coding in options]
        several = Counter(coding.get("code") for coding in options)
        if not options or any(count > 1 for count in several.values()):
            yield Why.NO_CHOICES
        if not all(coding.get("code") and str(coding.get("display", "")).strip() for coding in options):
            yield Why.NO_CHOICES
        if not all(known(library, coding) for coding in options):
            yield Why.UNKNOWN_CODE
        most = MOST_TICKED if tree.get("repeats") else MOST_CHOICES
        if len([coding for coding in options if coding.get("code") != UNKNOWN]) > most:
            yield Why.TOO_MANY_CHOICES
        if not set(levels(item).values()) <= set(codes.LEVELS):
            yield Why.ALERT
    if any(len(text) > LONGEST for text in words):
        yield Why.TOO_LONG


def _conditions(tree: Tree, links: Mapping[str, int]) -> Iterator[Why]:
    conditions: Sequence[Tree] = tree.get("enableWhen", ())
    for condition in conditions:
        if condition.get("question") not in links or condition.get("question") == tree.get("linkId"):
            yield Why.CONDITION_ON_NOTHING
        how, compared = condition.get("operator"), {name for name in condition if name.startswith("answer")}
        fits = bool(compared) and compared <= _CONDITIONS and how in OPERATORS
        unordered = how in ORDERED and compared & _WITHOUT_ORDER
        if not fits or unordered or (how == "exists" and compared != {"answerBoolean"}):
            yield Why.CONDITION
    if len(conditions) > 1 and tree.get("enableBehavior") not in ("all", "any"):
        yield Why.BEHAVIOR


def _meaning(tree: Tree) -> Tree:
    """An item without its words, its place and when it is asked."""
    kept = {name: value for name, value in tree.items() if name not in ("text", "item", "enableWhen", "enableBehavior")}
    if "answerOption" in kept:
        kept["answerOption"] = [
            {**option, "valueCoding": {**option.get("valueCoding", {}), "display": ""}}
            for option in kept["answerOption"]
        ]
    return kept


# What the manager changes.


def moved(form: Tree, link: str, by: int) -> Tree:
    """That question one place up (-1) or down (1) among those that have no fixed place; the same form at the ends."""
    places = [place for place, tree in enumerate(form["item"]) if tree["linkId"] not in FIXED]
    here = next((n for n, place in enumerate(places) if form["item"][place]["linkId"] == link), None)
    if here is None or not 0 <= here + by < len(places):
        return form
    told = list(form["item"])
    one, other = places[here], places[here + by]
    told[one], told[other] = told[other], told[one]
    return {**form, "item": told}


def worded(form: Tree, texts: Mapping[str, str], answers: Mapping[tuple[str, str], str]) -> Tree:
    """With other words of questions (by linkId) and of answers (by linkId and code)."""

    def item(tree: Tree) -> Tree:
        link = tree["linkId"]
        told = {**tree, **({"text": texts[link]} if link in texts else {})}
        if "answerOption" in tree:
            told["answerOption"] = [option(link, one) for one in tree["answerOption"]]
        if "item" in tree:
            told["item"] = [item(one) for one in tree["item"]]
        return told

    def option(link: str, tree: Tree) -> Tree:
        coding = tree.get("valueCoding", {})
        words = answers.get((link, str(coding.get("code", ""))))
        return tree if words is None else {**tree, "valueCoding": {**coding, "display": words}}

    return {**form, "item": [item(one) for one in form["item"]]}


def without(form: Tree, off: Collection[str]) -> Tree:
    """Without those questions."""
    return {**form, "item": [tree for tree in form["item"] if tree["linkId"] not in off]}


def whole(form: Tree, model: Tree) -> tuple[Tree, frozenset[str]]:
    """The form with what the model asks and it does not at its end, and the linkIds of that: what can be switched on."""
    asked = {tree["linkId"] for tree in form["item"]}
    off = [tree for tree in model["item"] if tree["linkId"] not in asked]
    return {**form, "item": [*form["item"], *off]}, frozenset(tree["linkId"] for tree in off)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `what` of added, removed, moved, words, answer, other; '' for what was not, or is no more."""

    what: str
    link: str
    before: str
    now: str


def changes(before: Tree, now: Tree) -> list[Change]:
    """What a person reads before it is published, in the order of the new form; what is removed last."""
    old, new = ({item.link: item for item in items(form)} for form in (before, now))
    found = []
    for link, item in new.items():
        if link not in old:
            found.append(Change("added", link, "", item.text))
            continue
        if item.text != old[link].text:
            found.append(Change("words", link, old[link].text, item.text))
        was, is_ = _words(old[link]), _words(item)
        found += [
            Change("answer", link, was.get(code, ""), is_.get(code, ""))
            for code in dict.fromkeys((*was, *is_))
            if was.get(code) != is_.get(code)
        ]
        if _other(item.tree) != _other(old[link].tree):
            found.append(Change("other", link, "", item.text))
    places = {link: place for place, link in enumerate(link for link in old if link in new)}
    highest = -1
    for link in (link for link in new if link in old):
        if places[link] < highest:
            found.append(Change("moved", link, old[link].text, new[link].text))
        highest = max(highest, places[link])
    return [*found, *(Change("removed", link, item.text, "") for link, item in old.items() if link not in new)]


def _words(item: Item) -> dict[str, str]:
    codings = [option.get("valueCoding") or {} for option in item.tree.get("answerOption", ())]
    return {str(coding.get("code", "")): str(coding.get("display", "")) for coding in codings}


def _other(tree: Tree) -> Tree:
    return {**_meaning(tree), **{name: tree[name] for name in ("enableWhen", "enableBehavior") if name in tree}}
