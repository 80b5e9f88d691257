"""Who takes part in the care: the team and its mental-health subteam, with the dates of each."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from ..facts import Member
from ..machine import Living, hours, lasting, which

members = st.sampled_from(["gp", "nurse", "home-aide", "hospital-doctor", "psychologist", "coordinator", "social-worker",
                           "pharmacist", "home-service-manager", "specialist too", "+service", "+unit"])  # fmt: skip


class Teams(Living):
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
        record, start = self.record(at), self.now + timedelta(hours=ahead)
        end = None if lasts is None else start + timedelta(hours=lasts)
        mine = record.members[mental]
        mine.append(Member(self.who(code, record), start, end, told, first and code == "gp"))
        self.write_team(record, mental=mental)

    @rule(at=which, one=which, mental=st.booleans(), how=st.sampled_from(["today", "gone"]))
    def leave(self, at: int, one: int, mental: bool, how: str) -> None:
        record = self.record(at)
        mine = record.members[mental]
        if mine:
            old = mine.pop(one % len(mine))
            if how == "today" and old.start < self.now:
                mine.append(Member(old.whom, old.start, self.now, old.informed, old.attending))
            self.write_team(record, mental=mental)
