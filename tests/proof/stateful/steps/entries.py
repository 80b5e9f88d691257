"""What is written in the record, and what of it is masked: by a Consent, by a label, and with what tells of it."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from ....auth.access.territory import classes, consent, item, vital
from .. import facts
from ..machine import Living, which
from ..records import Entry, Record, Wish

_SHAPES: dict[str, tuple[str, Any, str]] = {
    "vital": ("Observation", vital(), "VITAL"),
    "problem": ("Condition", {}, "CLIN"),
    "psychiatry": ("Condition", {"meta": {"security": classes("PSY")}}, "CLIN PSY"),
    "note": ("Communication", {}, "COORD"),
}
_MASKED = {
    "system": "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument",
    "code": "MASQUE_PS",
}
authors = st.sampled_from(["gp", "nurse", "hospital-doctor", "home-aide", "specialist too"])


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
        if shape == "note":
            owners["addressee"] = whom.practitioner
        record = self.record(at)
        made = self.create(item(record.patient, type_, **more, **signed[type_]))
        record.entries[made] = Entry(frozenset(names.split()), owners)

    @rule(at=which, one=which)
    def compute(self, at: int, one: int) -> None:
        """A measure that was worked out from another: it tells of it. Not by someone of the team, who would see their own."""
        record = self.record(at)
        about = self._one(record, one, "Observation/")
        if about:
            derived = vital(
                derivedFrom=[{"reference": about}], performer=[{"reference": self.who("hospital-doctor", record)}]
            )
            by = self.house.people["hospital-doctor"]
            owners = {"author": by.practitioner, "service": by.organization}
            made = self.create(item(record.patient, **derived))
            record.entries[made] = Entry(frozenset({"VITAL"}), owners, about)

    @rule(at=which, one=which, status=st.sampled_from(["active", "active", "proposed"]))
    def mask(self, at: int, one: int, status: str) -> None:
        record = self.record(at)
        item_ = self._one(record, one)
        if item_:
            data = [{"meaning": "instance", "reference": {"reference": item_}}]
            made = self.create(consent(record.patient, "masking", {"type": "deny", "data": data}, status=status))
            record.wishes[made] = Wish(status, ("mask", "", "", facts.BEGINNING, None), item_)

    @rule(at=which, one=which, status=st.sampled_from(["inactive", "active", "entered-in-error"]))
    def unmask(self, at: int, one: int, status: str) -> None:
        record = self.record(at)
        masks = sorted(name for name, wish in record.wishes.items() if wish.masked)
        if masks:
            made = masks[one % len(masks)]
            self.change(made, status=status)
            record.wishes[made].status = status

    @rule(at=which, one=which)
    def label(self, at: int, one: int) -> None:
        """Masked by its own label, or no longer."""
        record = self.record(at)
        name = self._one(record, one)
        if name:
            entry = record.entries[name]
            entry.labelled = not entry.labelled
            labels = [*(classes("PSY") if "PSY" in entry.classes else []), *([_MASKED] if entry.labelled else [])]
            self.change(name, meta={"security": labels} if labels else None)

    def _one(self, record: Record, one: int, prefix: str = "") -> str:
        names = sorted(name for name in record.entries if name.startswith(prefix))
        return names[one % len(names)] if names else ""
