"""Emergency accesses and calls to the platform: who may open one, what it opens, and how it ends."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from ....auth.access import arrivals, calling
from .. import facts
from ..machine import Living, which
from ..records import Opened, Record

_HANDLER, _DOCTOR = "call-handler", "regulating-doctor"


class Urgent(Living):
    @rule(at=which, code=st.sampled_from(["hospital-doctor", "nurse", "regulating-doctor"]))
    def break_glass(self, at: int, code: str) -> None:
        record = self.record(at)
        body = arrivals.parameters({**record.patient.made["identity"]}, reason="Trouvée inconsciente chez elle")
        allowed = not self._opposed(code, record, urgent=True)
        answer = self.ask(code, "Patient/$emergency-access", body, wanted=200 if allowed else 404)
        if answer is not None and allowed:
            self._opened(answer, "emergency", code, timedelta(hours=4))

    @rule(at=which, code=st.sampled_from([_HANDLER, _HANDLER, _DOCTOR]))
    def open_call(self, at: int, code: str) -> None:
        record, regulator = self.record(at), _DOCTOR if code == _HANDLER else ""
        named = str(self.house.people[_DOCTOR].role) if regulator else ""
        allowed = not self._opposed(code, record, urgent=code == _DOCTOR)
        in_office = not (regulator and self.is_aside(_DOCTOR))
        body = calling.asked(record.patient.made["identity"], named)
        wanted = 400 if not in_office else 200 if allowed else 404
        answer = self.ask(code, "Patient/$open-call", body, wanted=wanted)
        if answer is not None and wanted == 200:
            self._opened(answer, "call", code, timedelta(hours=1), regulator)

    @rule(at=which, one=which)
    def take_call(self, at: int, one: int) -> None:
        """What a handler received, by the doctor who was named."""
        record = self.record(at)
        calls = [task for task, opened in record.opened.items() if opened.regulator]
        if not calls:
            return
        task = calls[one % len(calls)]
        call = record.opened[task]
        open_ = not call.ended and call.end > self.now + facts.SECOND
        allowed = open_ and not self._opposed(_DOCTOR, record, urgent=True, found=True)
        answer = self.ask(_DOCTOR, f"{task}/$take-call", wanted=200 if allowed else 404)
        if answer is not None and allowed:
            self._opened(answer, "call", _DOCTOR, call.end - self.now)

    @rule(at=which, one=which)
    def close(self, at: int, one: int) -> None:
        """Before its time, by whoever opened it."""
        record = self.record(at)
        if record.opened:
            task = list(record.opened)[one % len(record.opened)]
            opened = record.opened[task]
            how = "$end-access" if opened.kind == "emergency" else "$end-call"
            if self.ask(opened.code, f"{task}/{how}", wanted=204) is not None:
                opened.end, opened.ended = min(self.now, opened.end), True

    def _opened(self, answer: object, kind: str, code: str, lasts: timedelta, regulator: str = "") -> None:
        said = arrivals.said(answer)
        record = self.record_of(said["patient"])
        record.opened[said["task"]] = Opened(kind, code, self.who(code, record), self.now, self.now + lasts, regulator)

    def _opposed(self, code: str, record: Record, *, urgent: bool, found: bool = False) -> bool:
        """Whether someone is refused: the person opposes them or their structure, or objects to emergency access; for
        what is not urgent, or opposes all sharing. `found`: not from an identity, which leads nowhere once the record was
        merged into another."""
        if self.merged and record is self.records[0] and not found:
            return True
        one = self.house.people[code]
        mine = {one.role, one.practitioner, *self.law.structures(one.organization)}
        mine |= {other.role for other in self.law.people if other.practitioner == one.practitioner}
        to_all = "objection" if urgent else "opposition"
        kinds = {"opposition", "objection"} if urgent else {"opposition"}
        return any(
            (stated.kind in kinds and stated.whom in mine) or (stated.kind == to_all and not stated.whom)
            for stated in record.everything()
            if stated.holds(self.now) and not stated.named
        )
