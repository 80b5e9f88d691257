"""What the person wishes: permissions, oppositions and objections, the information given, and their end."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from liaison.auth.access import vocabulary

from ....auth.access.territory import actor, classes, consent
from ....auth.access.test_oppositions import operation
from .. import facts
from ..house import text
from ..machine import Living, lasting, which
from ..records import Record, Wish

named = st.sampled_from(["", "", "CLIN", "PSY SENS", "SENS MINOR NOTE3P", "VITAL adm", "COORD PROCHES"])
opposed = st.sampled_from(["", "gp", "nurse", "home-aide", "close", "specialist too", "+service", "+hospital"])


class Wishes(Living):
    @rule(
        at=which,
        code=st.sampled_from(["nurse", "hospital-doctor", "social-worker", "close", "close", "+unit"]),
        of=named,
        lasts=lasting,
        agreed=st.sampled_from([True, True, False]),
    )
    def consent_to(self, at: int, code: str, of: str, lasts: int | None, agreed: bool) -> None:
        """By the person, or by who represents them: what is sensitive opens to the latter by the person's word alone."""
        end = None if lasts is None else self.now + timedelta(hours=lasts)
        self._wish(self.record(at), "consent", code, of, end, "active", agreed=agreed)

    @rule(at=which, code=opposed, of=named, sort=st.sampled_from(["opposition", "opposition", "objection"]),
          status=st.sampled_from(["proposed", "active"]), lasts=lasting)  # fmt: skip
    def oppose(self, at: int, code: str, of: str, sort: str, status: str, lasts: int | None) -> None:
        end = None if lasts is None else self.now + timedelta(hours=lasts)
        self._wish(self.record(at), sort, code, "" if sort == "objection" else of, end, status)

    @rule(at=which, code=st.sampled_from(["", "home-aide", "+service"]))
    def inform(self, at: int, code: str) -> None:
        self._wish(self.record(at), "informed", code, "", None, "active")

    def _wish(
        self, record: Record, kind: str, code: str, of: str, end: datetime | None, status: str, *, agreed: bool = False
    ) -> None:
        whom = self.who(code, record) if code else ""
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
        tree = consent(record.patient, kinds.get(kind, "opposition"), provision, status=status)
        if kind == "consent" and not agreed:
            tree["performer"] = [{"reference": record.relative}]
        made = self.create(tree)
        record.wishes[made] = Wish(status, (kind, whom, of, self.now, end), agreed=agreed)
        self._heed(record, record.wishes[made])

    @rule(
        at=which,
        by=st.sampled_from(["gp", "nurse", "home-aide"]),
        against=st.sampled_from(["", "", "nurse", "pharmacist", "+service"]),
        emergency=st.booleans(),
    )
    def say_no(self, at: int, by: str, against: str, emergency: bool) -> None:
        """To someone who sees the record: in force in both, when two records of the person were merged."""
        record = self.record(at)
        emergency, whom = emergency and not against, self.who(against, record) if against else ""
        said = {"against": {"reference": whom}} if whom else {"emergency": True} if emergency else {}
        sees = "ADM" in self.may(by, record, "COORD" if by == "home-aide" else "TREAT")[0]
        path, body = f"{record.patient.reference}/$oppose", operation(means="oral", **said)
        answer = self.ask(by, path, body, wanted=201 if sees else 404)
        if answer is None or not sees:
            return
        wish = Wish(
            "proposed" if by == "home-aide" else "active",
            ("objection" if emergency else "opposition", whom, "", facts.BEGINNING, None),
        )
        for one in self.records if self.merged else [record]:
            [made] = self.new_consents(one)
            one.wishes[made] = Wish(wish.status, wish.said)
            self._heed(one, one.wishes[made])

    def new_consents(self, record: Record) -> list[str]:
        """Those that a step did not write itself."""
        own, query = self.house.territory, f"Consent?patient={record.patient.reference}&_count=1000"
        return [one for one in self.do(own.search(own.system, query)) if one not in record.wishes]

    @rule(at=which, one=which, status=st.sampled_from(["active", "inactive", "inactive", "entered-in-error"]))
    def decide(self, at: int, one: int, status: str) -> None:
        """Confirms what is provisional, lifts or withdraws what stands."""
        record = self.record(at)
        if record.wishes:
            made = list(record.wishes)[one % len(record.wishes)]
            self.change(made, status=status)
            record.wishes[made].status = status
            self._heed(record, record.wishes[made])

    def _heed(self, record: Record, wish: Wish) -> None:
        """An opposition ends for good what it would have refused, emergency accesses and calls."""
        for stated in wish.stated():
            if not wish.denies or stated.named or not stated.holds(self.now):
                continue
            for one in record.opened.values():
                person = self.house.people[one.code]
                mine = {person.role, person.practitioner, *self.law.structures(person.organization)}
                mine |= {other.role for other in self.law.people if other.practitioner == person.practitioner}
                urgent = one.kind == "emergency" or one.code == "regulating-doctor"
                kinds = {"opposition", "objection"} if urgent else {"opposition"}
                to_all = stated.kind == ("objection" if urgent else "opposition") and not stated.whom
                refused = to_all or (stated.kind in kinds and stated.whom in mine)
                if refused and facts.after(one.end) > self.now:
                    one.end, one.ended = min(self.now, one.end), True
