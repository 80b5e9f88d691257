"""What changes about people: who stands in for whom and until when, who represents the person, whom the directory puts
aside, and records that are found to be of one person."""

import json
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from liaison.auth.access import vocabulary

from .. import facts
from ..base import Unlike
from ..house import text
from ..machine import Living, hours, lasting, which
from ..records import Wish
from .wishes import Wishes

measures = st.sampled_from(["tutelle", "habilitation", "parental-authority", "curatelle"])
_LAST_DAYS = {years: 1 - (365 * years + years // 4) for years in (18, 20)}
"""What was seen so many days ago reaches its age within some days: while the steps are taken, or just before."""


class Delegates(Living):
    @rule(code=st.sampled_from(["substitute", "trainee", "secretary"]), starts=hours, lasts=st.sampled_from([1, 26, 100]),
          instead=st.sampled_from(["gp", "hospital-doctor"]))  # fmt: skip
    def delegate(self, code: str, starts: int, lasts: int, instead: str) -> None:
        old = next(one for one in self.law.people if one.code == code)
        start = self.now + timedelta(hours=starts)
        end, whom = start + timedelta(hours=lasts), str(self.house.people[instead].role)
        self.change(old.role, period={"start": text(start), "end": text(end)},
                    extension=[{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": whom}}])  # fmt: skip
        new = type(old)(old.role, old.practitioner, "", code, start, facts.after(end), whom)
        self.law.people[self.law.people.index(old)] = new


class Guardians(Living):
    @rule(at=which, measure=measures, stands=st.booleans(), lasts=lasting, seen=st.sampled_from([True, True, False]),
          days=st.sampled_from([-20, -20, 0, 2, _LAST_DAYS[18], _LAST_DAYS[20]]))  # fmt: skip
    def represent(self, at: int, measure: str, stands: bool, lasts: int | None, seen: bool, days: int) -> None:
        """The measure changes, or what was seen of it: none gives a right that nobody saw the document of."""
        record = self.record(at)
        relative, end = record.relative, None if lasts is None else self.now + timedelta(hours=lasts)
        seen_on = (self.now + timedelta(days=days)).date()
        inner: list[Any] = [{"url": "measure", "valueCode": measure}, {"url": "seenOn", "valueDate": f"{seen_on}"}]
        if seen:
            inner.append({"url": "seenBy", "valueReference": {"reference": self.who("gp", record)}})
        period = {"start": text(self.now), **({"end": text(end)} if end else {})}
        self.change(
            relative, active=stands, period=period, extension=[{"url": vocabulary.REPRESENTATION, "extension": inner}]
        )
        record.stated["represented"] = (
            facts.represented(relative, measure, seen_on, self.now, end) if stands and seen else []
        )


class Directory(Living):
    @rule(code=st.sampled_from(["gp", "nurse", "social-worker", "hospital-doctor", "auditor", "substitute"]),
          what=st.sampled_from(["role", "practitioner", "organization"]))  # fmt: skip
    def put_aside(self, code: str, what: str) -> None:
        """By the directory, or back: a role, the person in each of their roles, or the structure."""
        one = next(one for one in self.law.people if one.code == code)
        reference = getattr(one, what)
        if reference:
            back = reference in self.law.aside
            self.do(self.house.put_aside(reference, back=back))
            (self.law.aside.discard if back else self.law.aside.add)(reference)


class Mergings(Wishes):
    @rule()
    def merge(self) -> None:
        """Moves no grant; but what was opposed in one record holds in both from then on."""
        going, staying = self.records
        reads, writes = zip(*(self.may("gp", one) for one in self.records), strict=True)
        sees, keeps = all("ADM" in one for one in reads), all("ADM" in one for one in writes)
        parts = [{"name": name, "valueReference": {"reference": record.patient.reference}}
                 for name, record in (("source-patient", going), ("target-patient", staying))]  # fmt: skip
        wanted = 404 if not sees else 403 if not keeps else 409 if self.merged else 200
        answer = self.ask("gp", "Patient/$merge", {"resourceType": "Parameters", "parameter": parts}, wanted=wanted)
        if answer is None or wanted != 200:
            return
        self.merged = True
        denials = [[one for one in record.wishes.values() if one.denies and one.counts] for record in self.records]
        for record, others in zip(self.records, reversed(denials), strict=True):
            said = [one.said for one in record.wishes.values() if one.denies and one.counts]
            carried = [one for one in others if one.said not in said]
            made = self.new_consents(record)
            if len(made) != len(carried):
                raise Unlike("carried over", made, carried)
            for name in made:
                found = self._which(name, carried)
                carried.remove(found)
                record.wishes[name] = Wish(found.status, found.said)
                self._heed(record, record.wishes[name])

    def _which(self, name: str, carried: list[Wish]) -> Wish:
        """The opposition that was carried over, known by whom it names, when it begins and its status."""
        tree = self.do(self.house.territory.tree(name))
        actors = tree["provision"].get("actor", [{"reference": {"reference": ""}}])
        start = tree["provision"].get("period", {}).get("start", "")
        key = (tree["status"], actors[0]["reference"]["reference"], "purpose" in tree["provision"], start)
        return next(
            one
            for one in carried
            if key
            == (one.status, one.said[1], one.said[0] == "objection",
                text(one.said[3]) if one.said[3] > facts.BEGINNING else "")
        )  # fmt: skip

    @rule()
    def unmerge(self) -> None:
        """Takes the merging back, and nothing that was carried over: it was the person who said it. Who does not see the record that
        stays is not told of it: to them, the other is not merged."""
        going = self.records[0]
        reads, writes = zip(*(self.may("gp", one) for one in self.records), strict=True)
        if "ADM" not in reads[0]:
            wanted = 404
        elif not self.merged or "ADM" not in reads[1]:
            wanted = 409
        else:
            wanted = 200 if all("ADM" in one for one in writes) else 403
        answer = self.ask("gp", f"{going.patient.reference}/$unmerge", wanted=wanted)
        if answer is not None and wanted == 200:
            assert json.loads(answer.body)
            self.merged = False
