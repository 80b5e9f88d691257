"""Steps that people take, in any order, under a clock that moves; after each, the grants are those of the law."""

import json
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from liaison.auth.access import vocabulary

from ...auth.access import arrivals
from ...auth.access.territory import ATTENDING, actor, classes, consent, item, member, team
from . import facts
from .base import Base
from .facts import Member
from .house import BEGINS, House, text
from .reference import Stated

which = st.integers(0, 50)
members = st.sampled_from(["gp", "nurse", "home-aide", "hospital-doctor", "psychologist", "coordinator", "social-worker",
                           "pharmacist", "home-service-manager", "+service", "+unit"])  # fmt: skip
hours = st.sampled_from([-30, -1, 0, 0, 5, 40])
lasting = st.sampled_from([None, None, 1, 26, 70])
named = st.sampled_from(["", "", "CLIN", "PSY SENS", "VITAL adm", "COORD PROCHES"])
opposed = st.sampled_from(["", "gp", "nurse", "home-aide", "close", "+service", "+hospital"])


class Record:
    """One patient as the model has them: what each resource states."""

    def __init__(self, patient: Any, number: int) -> None:
        self.patient = patient
        self.number = number
        self.members: dict[bool, list[Member]] = {False: [], True: []}
        self.stated: dict[str, list[Stated]] = {
            "self": [Stated("self", patient.reference, facts.BEGINNING, facts.FOREVER)]
        }
        self.consents: dict[str, tuple[str, list[Stated]]] = {}  # status, and what it states when it counts
        self.visits: list[tuple[str, str, Any]] = []  # kind, reference, what it was made of
        self.emergencies: list[tuple[str, datetime]] = []
        self.relatives: list[str] = []

    def everything(self) -> list[Stated]:
        found = [one for stated in self.stated.values() for one in stated]
        for status, stated in self.consents.values():
            counts = status == "active" or status == "proposed"
            found += [
                one for one in stated if counts and (status == "active" or one.kind in ("opposition", "objection"))
            ]
        return found


class Steps(RuleBasedStateMachine):
    """`house` is set by the test that runs it."""

    house: House

    @initialize()
    def begin(self) -> None:
        self.now, self.law = BEGINS, self.house.for_example()
        self._do(self.house.set_clock(self.now))
        self._do(self.house.forget_questions())
        self._do(self.house.restore_delegates())
        self.records = [self._new_record() for _ in range(2)]
        owners = [
            reference for one in self.law.people for reference in (one.practitioner, one.organization) if reference
        ]
        self.base = Base(self.house.territory, self.house.principals, {*owners, *self.house.organizations.values()})

    def _do(self, what: Any) -> Any:
        return self.house.do(what)

    def _new_record(self) -> Record:
        own = self.house.territory
        number = sum(1 for one in self.house.principals.values() if one.startswith("Patient/"))
        letters = "".join("ABCDEFGHIJ"[int(digit)] for digit in str(number))
        identity = {name: value for name, value in arrivals.traits(f"NOM{letters}").items() if name != "identifier"}
        record = Record(self._do(own.patient(informed=False, **identity)), number)
        record.patient.made["identity"] = identity
        self.house.name(record.patient.reference)
        relative = self._create(item(record.patient, "RelatedPerson"))
        record.relatives.append(self.house.name(relative))
        return record

    def _create(self, tree: Any) -> str:
        return str(self._do(self.house.territory.create(self.house.territory.system, tree)))

    def _change(self, reference: str, **elements: Any) -> None:
        answer = self._do(self.house.territory.change(self.house.territory.system, reference, **elements))
        assert answer.status == 200, answer.body

    def _record(self, which_: int) -> Record:
        return self.records[which_ % len(self.records)]

    def _who(self, code: str, record: Record) -> str:
        if code == "close":
            return record.relatives[0]
        return self.house.organizations[code[1:]] if code.startswith("+") else str(self.house.people[code].role)

    # ---- teams ---------------------------------------------------------------------------------------------------

    @rule(
        at=which,
        code=members,
        ahead=hours,
        lasts=lasting,
        told=st.booleans(),
        first=st.booleans(),
        mental=st.booleans(),
    )
    def join(self, at: int, code: str, ahead: int, lasts: int | None, told: bool, first: bool, mental: bool) -> None:
        record, start = self._record(at), self.now + timedelta(hours=ahead)
        end = None if lasts is None else start + timedelta(hours=lasts)
        mine = record.members[mental]
        mine.append(Member(self._who(code, record), start, end, told, first and code == "gp"))
        self._write_team(record, mental=mental)

    @rule(at=which, one=which, mental=st.booleans(), how=st.sampled_from(["today", "gone"]))
    def leave(self, at: int, one: int, mental: bool, how: str) -> None:
        record = self._record(at)
        mine = record.members[mental]
        if mine:
            old = mine.pop(one % len(mine))
            if how == "today" and old.start < self.now:
                mine.append(Member(old.whom, old.start, self.now, old.informed, old.attending))
            self._write_team(record, mental=mental)

    def _write_team(self, record: Record, *, mental: bool) -> None:
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
            self._change(record.patient.made[place], participant=participants or None)
        else:
            kind = (
                {"category": [{"coding": [{"system": vocabulary.CARE_TEAM, "code": "mental-health"}]}]}
                if mental
                else {}
            )
            record.patient.made[place] = self._create({**team(record.patient, []), "participant": participants, **kind})
        record.stated[place] = facts.team(record.members[mental], mental=mental)

    # ---- visits and stays ----------------------------------------------------------------------------------------

    @rule(at=which, code=st.sampled_from(["home-aide", "nurse"]), ahead=hours)
    def plan_visit(self, at: int, code: str, ahead: int) -> None:
        record, start = self._record(at), self.now + timedelta(hours=ahead)
        end, who = start + timedelta(hours=1), self._who(code, self._record(at))
        people = [{"actor": {"reference": one}, "status": "accepted"} for one in (record.patient.reference, who)]
        made = self._create(item(record.patient, "Appointment", start=text(start), end=text(end), participant=people))
        record.stated[made] = facts.tour(who, start, end)
        record.visits.append(("tour", made, None))

    @rule(
        at=which,
        code=st.sampled_from(["on-call-doctor", "nurse", "gp"]),
        admitted=st.booleans(),
        ahead=st.sampled_from([-30, -1, 0]),
    )
    def open_stay(self, at: int, code: str, admitted: bool, ahead: int) -> None:
        record, start = self._record(at), self.now + timedelta(hours=ahead)
        unit, who = self.house.organizations["unit"], self._who(code, self._record(at))
        more: Any = {
            "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "IMP" if admitted else "AMB",
            }
        }
        made = self._create(item(record.patient, "Encounter", status="in-progress", period={"start": text(start)},
            serviceProvider={"reference": unit}, participant=[{"individual": {"reference": who}}], **more))  # fmt: skip
        whom = [who, *([unit] if admitted else [])]
        record.stated[made] = facts.stay(whom, start, None)
        record.visits.append(("stay", made, (whom, start)))

    @rule(at=which, one=which, mistaken=st.booleans())
    def end_visit(self, at: int, one: int, mistaken: bool) -> None:
        record = self._record(at)
        if not record.visits:
            return
        kind, made, parts = record.visits.pop(one % len(record.visits))
        record.stated[made] = []
        if kind == "tour":
            self._change(made, status="cancelled")
        elif mistaken or parts[1] >= self.now:
            self._change(made, status="entered-in-error")
        else:
            self._change(made, status="finished", period={"start": text(parts[1]), "end": text(self.now)})
            record.stated[made] = facts.stay(parts[0], parts[1], self.now)

    # ---- what the person wishes ----------------------------------------------------------------------------------

    @rule(
        at=which,
        code=st.sampled_from(["nurse", "hospital-doctor", "social-worker", "close", "close", "+unit"]),
        of=named,
        lasts=lasting,
    )
    def consent_to(self, at: int, code: str, of: str, lasts: int | None) -> None:
        end = None if lasts is None else self.now + timedelta(hours=lasts)
        self._wish(self._record(at), "consent", code, of, end, "active")

    @rule(at=which, code=opposed, of=named, sort=st.sampled_from(["opposition", "opposition", "objection"]),
          status=st.sampled_from(["proposed", "active"]), lasts=lasting)  # fmt: skip
    def oppose(self, at: int, code: str, of: str, sort: str, status: str, lasts: int | None) -> None:
        end = None if lasts is None else self.now + timedelta(hours=lasts)
        self._wish(self._record(at), sort, code, "" if sort == "objection" else of, end, status)

    @rule(at=which, code=st.sampled_from(["", "home-aide", "+service"]))
    def inform(self, at: int, code: str) -> None:
        self._wish(self._record(at), "informed", code, "", None, "active")

    def _wish(self, record: Record, kind: str, code: str, of: str, end: datetime | None, status: str) -> None:
        whom = self._who(code, record) if code else ""
        provision: Any = {
            "type": "permit" if kind in ("consent", "informed") else "deny",
            "period": {"start": text(self.now)},
        }
        if whom:
            provision["actor"] = [actor(whom)]
        if of:
            provision["securityLabel"] = classes(
                *(f"{one.upper()}_ONLY" if one.islower() else one for one in of.split())
            )
        if end:
            provision["period"]["end"] = text(end)
        if kind == "objection":
            provision["purpose"] = [{"system": vocabulary.ACT_REASON, "code": "ETREAT"}]
        kinds = {"informed": "information", "consent": "sharing"}
        made = self._create(consent(record.patient, kinds.get(kind, "opposition"), provision, status=status))
        record.consents[made] = (status, facts.consent(kind, whom, of, self.now, end))

    @rule(at=which, one=which, status=st.sampled_from(["active", "inactive", "inactive", "entered-in-error"]))
    def decide(self, at: int, one: int, status: str) -> None:
        """Confirms what is provisional, lifts or withdraws what stands."""
        record = self._record(at)
        if record.consents:
            made = sorted(record.consents)[one % len(record.consents)]
            self._change(made, status=status)
            record.consents[made] = (status, record.consents[made][1])

    # ---- emergencies, delegates, guardians, merges, time ---------------------------------------------------------

    @rule(at=which, code=st.sampled_from(["hospital-doctor", "nurse"]))
    def break_glass(self, at: int, code: str) -> None:
        record, who = self._record(at), self.house.people[code]
        body = arrivals.parameters({**record.patient.made["identity"]}, reason="Trouvée inconsciente chez elle")
        answer = self._do(self.house.territory.ask(who.caller, "POST", "Patient/$emergency-access", body))
        assert answer.status in (200, 404, 429), answer.body
        if answer.status == 200:
            task = arrivals.said(answer)["task"]
            record.stated[task] = [Stated("emergency", who.role, self.now, facts.after(self.now + timedelta(hours=4)))]
            record.emergencies.append((task, self.now))

    @rule(at=which)
    def close_glass(self, at: int) -> None:
        record = self._record(at)
        if record.emergencies:
            task, start = record.emergencies.pop()
            who = next(one for one in self.house.people.values() if one.role == record.stated[task][0].whom)
            answer = self._do(self.house.territory.ask(who.caller, "POST", f"{task}/$end-access"))
            assert answer.status == 204, answer.body
            end = min(facts.after(self.now), record.stated[task][0].end)
            record.stated[task] = [Stated("emergency", who.role, start, end)]

    @rule(code=st.sampled_from(["substitute", "trainee", "secretary"]), starts=hours, lasts=st.sampled_from([1, 26, 100]),
          instead=st.sampled_from(["gp", "hospital-doctor"]))  # fmt: skip
    def delegate(self, code: str, starts: int, lasts: int, instead: str) -> None:
        old = next(one for one in self.law.people if one.code == code)
        start = self.now + timedelta(hours=starts)
        end, whom = start + timedelta(hours=lasts), str(self.house.people[instead].role)
        self._change(old.role, period={"start": text(start), "end": text(end)},
                     extension=[{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": whom}}])  # fmt: skip
        new = type(old)(old.role, old.practitioner, "", code, start, facts.after(end), whom)
        self.law.people[self.law.people.index(old)] = new

    @rule(at=which, measure=st.sampled_from(["tutelle", "curatelle"]), stands=st.booleans(), lasts=lasting)
    def represent(self, at: int, measure: str, stands: bool, lasts: int | None) -> None:
        record = self._record(at)
        relative, end = record.relatives[0], None if lasts is None else self.now + timedelta(hours=lasts)
        inner: list[Any] = [{"url": "measure", "valueCode": measure}, {"url": "seenOn", "valueDate": "2026-03-01"},
                            {"url": "seenBy", "valueReference": {"reference": self._who("gp", record)}}]  # fmt: skip
        period = {"start": text(self.now), **({"end": text(end)} if end else {})}
        self._change(
            relative, active=stands, period=period, extension=[{"url": vocabulary.REPRESENTATION, "extension": inner}]
        )
        given = stands and measure == "tutelle"
        record.stated["represented"] = [Stated("represented", relative, self.now, facts.after(end))] if given else []

    @rule(apart=st.booleans())
    def merge(self, apart: bool) -> None:
        """Moves no grant, whether it is refused or not; nor does taking it back."""
        one, other = self.records
        gp, own = self.house.people["gp"], self.house.territory
        if apart:
            self._do(own.ask(gp.caller, "POST", f"{one.patient.reference}/$unmerge", None))
            return
        parts = [{"name": name, "valueReference": {"reference": record.patient.reference}}
                 for name, record in (("source-patient", one), ("target-patient", other))]  # fmt: skip
        answer = self._do(
            own.ask(gp.caller, "POST", "Patient/$merge", {"resourceType": "Parameters", "parameter": parts})
        )
        assert answer.status < 500, json.loads(answer.body)

    @rule(minutes=st.sampled_from([1, 60, 239, 240, 241, 24 * 60, 25 * 60]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        self._do(self.house.set_clock(self.now))

    @invariant()
    def the_grants_are_the_laws(self) -> None:
        for record in getattr(self, "records", ()):
            number = self.house.territory.key(record.patient.reference).patient
            self._do(self.base.check(number, self.law, record.everything()))
