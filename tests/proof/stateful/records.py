"""One patient as the steps have made them: what each resource states, what is written in the record, what is masked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import facts
from .facts import Member
from .reference import Names, Stated

Said = tuple[str, str, str, datetime, datetime | None]
"""What a Consent says: its kind, whom it names, the classes, from when and until when."""


@dataclass
class Wish:
    """A Consent. A permission counts once it is active; an opposition, an objection and a masking when proposed too."""

    status: str
    said: Said
    masked: str = ""
    agreed: bool = False
    """By the person themselves, not by whoever represents them."""

    @property
    def denies(self) -> bool:
        return self.said[0] in ("opposition", "objection")

    @property
    def counts(self) -> bool:
        return self.status == "active" or (self.status == "proposed" and (self.denies or bool(self.masked)))

    def stated(self) -> list[Stated]:
        return facts.consent(*self.said, agreed=self.agreed) if self.counts and not self.masked else []


@dataclass
class Entry:
    """Something written in the record: its classes, whose it is (by column), and what it tells of."""

    classes: Names
    owners: Mapping[str, str]
    about: str = ""
    labelled: bool = False


@dataclass
class Opened:
    """What a Task opened for someone: an emergency access or a call. `regulator` may take the call, while it is not ended."""

    kind: str
    code: str
    whom: str
    start: datetime
    end: datetime
    regulator: str = ""
    ended: bool = False


@dataclass
class Record:
    patient: Any
    relative: str
    members: dict[bool, list[Member]] = field(default_factory=lambda: {False: [], True: []})
    stated: dict[str, list[Stated]] = field(default_factory=dict)
    wishes: dict[str, Wish] = field(default_factory=dict)
    visits: list[tuple[str, str, Any]] = field(default_factory=list)  # kind, reference, what it was made of
    opened: dict[str, Opened] = field(default_factory=dict)  # by Task
    entries: dict[str, Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stated["self"] = [Stated("self", self.patient.reference, facts.BEGINNING, facts.FOREVER)]

    def everything(self) -> list[Stated]:
        """What is so of the person, from when and until when."""
        found = [one for stated in self.stated.values() for one in stated]
        found += [one for wish in self.wishes.values() for one in wish.stated()]
        opened = [one for one in self.opened.values() if not (one.kind == "call" and one.ended)]  # its end is at once
        return found + [Stated(one.kind, one.whom, one.start, facts.after(one.end)) for one in opened]

    # ---- what is masked ------------------------------------------------------------------------------------------

    def hidden(self) -> set[str]:
        """What is masked, and what tells of it."""
        found = {wish.masked for wish in self.wishes.values() if wish.masked and wish.counts}
        found |= {name for name, one in self.entries.items() if one.labelled}
        while more := {name for name, one in self.entries.items() if one.about in found} - found:
            found |= more
        return found

    def rows(self) -> Iterator[tuple[str, Names, Mapping[str, str]]]:
        """What is written, with its classes as they are now; a Consent that masks an item tells of it."""
        hidden = self.hidden()
        for name, one in self.entries.items():
            yield name, one.classes | ({"MASKED"} if name in hidden else frozenset()), one.owners
        for name, wish in self.wishes.items():
            if wish.masked:
                yield name, frozenset({"CONSENT", "MASKED"}), {}
