"""What opens a right for a time, beside the team: visits, stays, accepted referrals."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from ....auth.access.territory import item
from .. import facts
from ..house import text
from ..machine import Living, hours, lasting, which


class Visits(Living):
    @rule(at=which, code=st.sampled_from(["home-aide", "nurse"]), ahead=hours)
    def plan_visit(self, at: int, code: str, ahead: int) -> None:
        record, start = self.record(at), self.now + timedelta(hours=ahead)
        end, who = start + timedelta(hours=1), self.who(code, self.record(at))
        people = [{"actor": {"reference": one}, "status": "accepted"} for one in (record.patient.reference, who)]
        made = self.create(item(record.patient, "Appointment", start=text(start), end=text(end), participant=people))
        record.stated[made] = facts.tour(who, start, end)
        record.visits.append(("tour", made, None))

    @rule(
        at=which,
        code=st.sampled_from(["on-call-doctor", "nurse", "gp"]),
        admitted=st.booleans(),
        ahead=st.sampled_from([-30, -1, 0]),
    )
    def open_stay(self, at: int, code: str, admitted: bool, ahead: int) -> None:
        record, start = self.record(at), self.now + timedelta(hours=ahead)
        unit, who = self.house.organizations["unit"], self.who(code, self.record(at))
        more: Any = {
            "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "IMP" if admitted else "AMB",
            }
        }
        made = self.create(item(record.patient, "Encounter", status="in-progress", period={"start": text(start)},
            serviceProvider={"reference": unit}, participant=[{"individual": {"reference": who}}], **more))  # fmt: skip
        whom = [who, *([unit] if admitted else [])]
        record.stated[made] = facts.stay(whom, start, None)
        record.visits.append(("stay", made, (whom, start)))

    @rule(
        at=which,
        code=st.sampled_from(["hospital-doctor", "specialist", "on-call-doctor", "nurse", "pharmacist"]),
        accepted=st.booleans(),
        ahead=hours,
        lasts=lasting,
        limit=lasting,
    )
    def refer(self, at: int, code: str, accepted: bool, ahead: int, lasts: int | None, limit: int | None) -> None:
        """A request of care, and whoever is asked to take it."""
        record, start = self.record(at), self.now + timedelta(hours=ahead)
        who, ends = (
            self.who(code, record),
            [None if one is None else start + timedelta(hours=one) for one in (lasts, limit)],
        )
        asked = self.create(item(record.patient, "ServiceRequest"))
        run, bound = ({"end": text(one)} if one else {} for one in ends)
        made = self.create(item(
            record.patient, "Task", status="accepted" if accepted else "requested", focus={"reference": asked},
            owner={"reference": who}, executionPeriod={"start": text(start), **run},
            **({"restriction": {"period": bound}} if bound else {}),
        ))  # fmt: skip
        record.stated[made] = facts.referral(who, start, ends) if accepted else []
        record.visits.append(("referral", made, (who, start, ends)))

    @rule(at=which, one=which, how=st.sampled_from(["taken", "done", "dropped"]))
    def follow_referral(self, at: int, one: int, how: str) -> None:
        record = self.record(at)
        referrals = [visit for visit in record.visits if visit[0] == "referral"]
        if not referrals:
            return
        visit = referrals[one % len(referrals)]
        _, made, (who, start, ends) = visit
        if how == "done" and start < self.now:
            period = {"start": text(start), "end": text(self.now)}
            self.change(made, status="completed", executionPeriod=period)
            record.stated[made] = facts.referral(who, start, [self.now, ends[1]])
            record.visits.remove(visit)
        elif how == "taken":
            self.change(made, status="accepted")
            record.stated[made] = facts.referral(who, start, ends)
        else:
            self.change(made, status="cancelled")
            record.stated[made] = []
            record.visits.remove(visit)

    @rule(at=which, one=which, mistaken=st.booleans())
    def end_visit(self, at: int, one: int, mistaken: bool) -> None:
        record = self.record(at)
        visits = [visit for visit in record.visits if visit[0] != "referral"]
        if not visits:
            return
        visit = visits[one % len(visits)]
        record.visits.remove(visit)
        kind, made, parts = visit
        record.stated[made] = []
        if kind == "tour":
            self.change(made, status="cancelled")
        elif mistaken or parts[1] >= self.now:
            self.change(made, status="entered-in-error")
        else:
            self.change(made, status="finished", period={"start": text(parts[1]), "end": text(self.now)})
            record.stated[made] = facts.stay(parts[0], parts[1], self.now)
