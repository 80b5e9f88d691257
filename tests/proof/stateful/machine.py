"""What every step is taken on: two patients of a small territory, under a clock that moves. After each step, whatever it
was, the grants are those of the law and what is written is seen by whom the law shows it to.

The steps stand in steps/, by what they are about. One machine takes those that it is made of.
"""

import json
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from liaison.auth.access import vocabulary

from ...auth.access import arrivals
from ...auth.access.territory import ATTENDING, item, member, team
from . import facts
from .base import Base, Unlike
from .facts import Member
from .house import BEGINS, House, text
from .records import Record
from .reference import Names, at, covers

which = st.integers(0, 50)
hours = st.sampled_from([-30, -1, 0, 0, 5, 40])
lasting = st.sampled_from([None, None, 1, 26, 70])


class Living(RuleBasedStateMachine):
    """`house` is set by the test that runs it."""

    house: House

    @initialize()
    def begin(self) -> None:
        self.now, self.law, self.merged = BEGINS, self.house.for_example(), False
        self.do(self.house.set_clock(self.now))
        self.do(self.house.forget_questions())
        self.do(self.house.restore_directory())
        self.records = [self._new_record() for _ in range(2)]
        for record in self.records:
            record.members[False] = [
                Member(self.who(code, record), self.now, None, informed=False, attending=code == "gp")
                for code in ("gp", "nurse")
            ]
            self.write_team(record, mental=False)
        owners = [
            reference for one in self.law.people for reference in (one.practitioner, one.organization) if reference
        ]
        known = {*owners, *self.house.organizations.values()}
        mine = {one for record in self.records for one in (record.patient.reference, record.relative)}
        asking = {
            (who, purpose): session
            for (who, purpose), session in self.house.sessions.items()
            if purpose != "PATRQT" or who in mine
        }
        self.base = Base(self.house.territory, self.house.principals, known, asking)

    @rule(minutes=st.sampled_from([1, 60, 239, 240, 241, 24 * 60, 25 * 60]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self.do(self.house.set_clock(self.now))

    @invariant()
    def the_grants_are_the_laws(self) -> None:
        for record in getattr(self, "records", ()):
            self.do(self.base.check(record, self.law, self.now))

    # ---- for the steps -------------------------------------------------------------------------------------------

    def do(self, what: Any) -> Any:
        return self.house.do(what)

    def _new_record(self) -> Record:
        own = self.house.territory
        number = sum(1 for one in self.house.principals.values() if one.startswith("Patient/"))
        letters = "".join("ABCDEFGHIJ"[int(digit)] for digit in str(number))
        identity = {name: value for name, value in arrivals.traits(f"NOM{letters}").items() if name != "identifier"}
        patient = self.do(own.patient(informed=False, **identity))
        patient.made["identity"] = identity
        relative = self.create(item(patient, "RelatedPerson"))
        for name in (patient.reference, relative):
            self.do(self.house.open_session(self.house.name(name), "PATRQT", [own.key(name).res]))
        return Record(patient, relative)

    def create(self, tree: Any) -> str:
        return str(self.do(self.house.territory.create(self.house.territory.system, tree)))

    def change(self, reference: str, **elements: Any) -> None:
        answer = self.do(self.house.territory.change(self.house.territory.system, reference, **elements))
        assert answer.status == 200, answer.body

    def write_team(self, record: Record, *, mental: bool) -> None:
        participants = []
        for one in record.members[mental]:
            tree = member(one.whom, period={"start": text(one.start), **({"end": text(one.end)} if one.end else {})})
            if one.informed:
                tree["extension"] = [{"url": vocabulary.INFORMED, "valueDateTime": text(self.now)}]
            if one.attending:
                tree["role"] = ATTENDING
            participants.append(tree)
        place = "mental" if mental else "team"
        if place in record.patient.made:
            self.change(record.patient.made[place], participant=participants or None)
        else:
            kind = (
                {"category": [{"coding": [{"system": vocabulary.CARE_TEAM, "code": "mental-health"}]}]}
                if mental
                else {}
            )
            record.patient.made[place] = self.create({**team(record.patient, []), "participant": participants, **kind})
        record.stated[place] = facts.team(record.members[mental], mental=mental)

    def record(self, which_: int) -> Record:
        return self.records[which_ % len(self.records)]

    def record_of(self, patient: str) -> Record:
        return next(one for one in self.records if one.patient.reference == patient)

    def who(self, code: str, record: Record) -> str:
        if code == "close":
            return record.relative
        return self.house.organizations[code[1:]] if code.startswith("+") else str(self.house.people[code].role)

    def ask(self, code: str, path: str, body: Any = None, *, wanted: int) -> Any:
        """What someone who signs in now is answered, which must have that status; None while they are aside."""
        caller = self.do(self.house.signed_in(code))
        if caller is None:
            assert self.is_aside(code)
            return None
        self.do(self.house.forget_questions())
        answer = self.do(self.house.territory.ask(caller, "POST", path, body))
        assert answer.status < 500, answer.body
        if answer.status != wanted:
            raise Unlike(code, path, answer.status, wanted, json.loads(answer.body or b"{}"))
        return answer

    def is_aside(self, code: str) -> bool:
        one = self.house.people[code]
        return bool(self.law.aside & {one.role, one.practitioner, one.organization})

    def may(self, code: str, record: Record, purpose: str = "TREAT") -> tuple[Names, Names]:
        """The classes that someone reads and writes of anyone's entries now, by the law."""
        rights = at(self.law, record.everything(), self.now).get(self.who(code, record), {})
        read, write = (covers(rights, purpose, {}, column) for column in (0, 1))
        return read, write
