"""What a text says by its words: a rule of them, and the forms in which a text is looked at.

Whole words without case and accents. What hides a word from a search and not from a reader is taken away first: signs that
show nothing (a soft hyphen, a zero-width space), a word cut at the end of a line, letters with points or spaces between (V.I.H.).
Limits: a word that is misspelt in a way that nobody listed passes, as do a picture and a PDF; a denied mention closes, for that
something was looked for tells of it too.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from liaison.auth.access.classes import Class

_MARKS: Final = re.compile("[\u0300-\u036f]")
_BETWEEN: Final = re.compile(r"[\W_]+")
_UNSEEN: Final = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_CUT: Final = re.compile(r"[-\u2010]\s*\n\s*")
_LONE_LETTERS: Final = re.compile(r"(?<= )[a-z](?: [a-z])+(?= )")
_LETTERS: Final = str.maketrans({"œ": "oe", "æ": "ae"})


def heard(text: str) -> tuple[str, ...]:
    """The forms of a text, each folded and with a space before and after: as it is written and, where that is another, with
    lone letters and the parts of a cut word put together."""
    if not text.isascii():
        text = _UNSEEN.sub("", text)
    plain = _folded(text)
    whole = _folded(_CUT.sub("", text)) if _CUT.search(text) else plain
    joined = _LONE_LETTERS.sub(lambda found: found[0].replace(" ", ""), whole)
    return (plain,) if joined == plain else (plain, joined)


def _folded(text: str) -> str:
    """In whole passes, since a document may be long."""
    plain = text.casefold()
    if not plain.isascii():
        plain = _MARKS.sub("", unicodedata.normalize("NFKD", plain).casefold().translate(_LETTERS))
    return f" {_BETWEEN.sub(' ', plain).strip()} "


@dataclass(frozen=True, slots=True)
class Words:
    """What a content is by what it is called: whole words, a final * for any ending. `prose`: in a sentence as well, not in
    the place of a code alone. `unless`: words that show another meaning, of what stands beside them."""

    classes: Class
    words: tuple[str, ...]
    prose: bool = True
    unless: tuple[str, ...] = ()

    def say(self, one: str, text: str) -> bool:
        """Whether the word, as it stands in a form, stands somewhere in this one with the meaning of the rule."""
        at = text.find(one)
        while at >= 0:
            if not any(_beside(other, one, text, at) for other in self.unless):
                return True
            at = text.find(one, at + 1)
        return False


Index: TypeAlias = Mapping[str, Sequence[tuple[str, Words]]]
_BEGINNINGS: Final = (3, 2, 1)
_BESIDE: Final = 50
"""Letters: some eight words."""


def indexed(rules: Iterable[Words]) -> Index:
    """Each of the words, as it stands in a form, by its first letters: hardly a word of a text begins as one of these."""
    found: dict[str, list[tuple[str, Words]]] = {}
    for rule in rules:
        for one in rule.words:
            found.setdefault(one.split()[0].removesuffix("*")[: _BEGINNINGS[0]], []).append((_spaced(one), rule))
    return found


def meant(index: Index, text: str, *, prose: bool) -> Class:
    """What a text says by its words."""
    classes = Class(0)
    for form in heard(text):
        for beginning in {word[:n] for word in form.split() for n in _BEGINNINGS} & index.keys():
            for one, rule in index[beginning]:
                if (rule.prose or not prose) and rule.say(one, form):
                    classes |= rule.classes
    return classes


def _beside(other: str, one: str, text: str, at: int) -> bool:
    """Whether another word stands beside one that begins there; or, of a phrase of both (« non alcoolique »), around it."""
    reach = len(other) if one.strip() in other else _BESIDE
    return _spaced(other) in text[max(0, at - reach) : at + len(one) + reach]


def _spaced(word: str) -> str:
    return f" {word[:-1]}" if word.endswith("*") else f" {word} "
