"""What is written in the record, and what of it is masked: by a Consent, by a label, and with what tells of it."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from ....auth.access.territory import classes, consent, item, vital
from .. import facts
from ..machine import Living, which
from ..records import Entry, Record, Wish

_RESULT = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "75622-1"}]},
}
_SHAPES: dict[str, tuple[str, Any, str]] = {
    "vital": ("Observation", vital(), "VITAL"),
    "problem": ("Condition", {}, "CLIN"),
    "psychiatry": ("Condition", {"meta": {"security": classes("PSY")}}, "CLIN PSY"),
    "note": ("Communication", {}, "COORD"),
    "note that holds a result": ("Communication", {"contained": [_RESULT]}, "COORD CLIN SENS"),
}
_MASKED = {
    "system": "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument",
    "code": "MASQUE_PS",
}
authors = st.sampled_from(["gp", "nurse", "hospital-doctor", "home-aide", "specialist too"])


def _entries(record: Record) -> list[str]:
    return list(record.entries)  # in the order in which they were made: the ids are others each time


def _measures(record: Record) -> list[str]:
    return [name for name in _entries(record) if name.startswith("Observation/")]


def _masks(record: Record) -> list[str]:
    return [name for name, wish in record.wishes.items() if wish.masked]


def _some(found: Callable[[Record], list[str]]) -> Callable[[Any], bool]:
    """A step that has nothing to be taken on is not one of a life."""
    return lambda life: any(found(record) for record in life.records)


class Entries(Living):
    @rule(at=which, author=authors, to=authors, shape=st.sampled_from(sorted(_SHAPES)))
    def write(self, at: int, author: str, to: str, shape: str) -> None:
        type_, more, names = _SHAPES[shape]
        by, whom = self.house.people[author], self.house.people[to]
        signed: dict[str, dict[str, Any]] = {
            "Observation": {"performer": [{"reference": by.role}]},
            "Condition": {"recorder": {"reference": by.role}},
            "Communication": {"sender": {"reference": by.role}, "recipient": [{"reference": whom.role}]},
        }
        owners = {"author": by.practitioner, "service": by.organization}
        if type_ == "Communication":
            owners["addressee"] = whom.practitioner
        record = self.record(at)
        made = self.create(item(record.patient, type_, **more, **signed[type_]))
        record.entries[made] = Entry(frozenset(names.split()), owners)

    @precondition(_some(_measures))
    @rule(at=which, one=which)
    def compute(self, at: int, one: int) -> None:
        """A measure that was worked out from another: it tells of it. Not by someone of the team, who would see their own."""
        record, about = self._one(at, one, _measures)
        derived = vital(
            derivedFrom=[{"reference": about}], performer=[{"reference": self.who("hospital-doctor", record)}]
        )
        by = self.house.people["hospital-doctor"]
        owners = {"author": by.practitioner, "service": by.organization}
        made = self.create(item(record.patient, **derived))
        record.entries[made] = Entry(frozenset({"VITAL"}), owners, about)

    @precondition(_some(_entries))
    @rule(at=which, one=which, told=st.booleans(), status=st.sampled_from(["active", "active", "proposed"]))
    def mask(self, at: int, one: int, told: bool, status: str) -> None:
        record, item_ = self._one(at, one, _entries, told=told)
        data = [{"meaning": "instance", "reference": {"reference": item_}}]
        made = self.create(consent(record.patient, "masking", {"type": "deny", "data": data}, status=status))
        record.wishes[made] = Wish(status, ("mask", "", "", facts.BEGINNING, None), item_)

    @precondition(_some(_masks))
    @rule(at=which, one=which, status=st.sampled_from(["inactive", "active", "entered-in-error"]))
    def unmask(self, at: int, one: int, status: str) -> None:
        record, made = self._one(at, one, _masks)
        self.change(made, status=status)
        record.wishes[made].status = status

    @precondition(_some(_entries))
    @rule(at=which, one=which, told=st.booleans())
    def label(self, at: int, one: int, told: bool) -> None:
        """Masked by its own label, or no longer."""
        record, name = self._one(at, one, _entries, told=told)
        entry = record.entries[name]
        entry.labelled = not entry.labelled
        labels = [*(classes("PSY") if "PSY" in entry.classes else []), *([_MASKED] if entry.labelled else [])]
        self.change(name, meta={"security": labels} if labels else None)

    def _one(
        self, at: int, one: int, found: Callable[[Record], list[str]], *, told: bool = False
    ) -> tuple[Record, str]:
        """One of those found in a record that has any; `told`: of which another entry tells, if there is one."""
        known = [record for record in self.records if found(record)]
        record = known[at % len(known)]
        about = {entry.about for entry in record.entries.values()}
        names = found(record)
        names = [name for name in names if told and name in about] or names
        return record, names[one % len(names)]
