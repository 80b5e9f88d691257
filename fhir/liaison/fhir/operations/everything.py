"""$everything of a patient: https://hl7.org/fhir/R4/patient-operation-everything.html

The Patient, every visible resource of the record, then who and what these refer to in the directory, each once. Two
statements a page whatever the size of the record; the stored bytes are joined, no model is built.

A record of more than `call.MOST` resources, or than `_count`, goes on behind a `next` link: nothing is cut off in silence. As
in a search, its cursor is sealed to the caller and seals the snapshot of the first page, and rights are asked for again
on each page (liaison.fhir.search.page).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from liaison.fhir.errors import Forbidden, NotFound
from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations import sealed_list
from liaison.fhir.operations.call import Call
from liaison.fhir.operations.definitions import PATIENT_EVERYTHING
from liaison.fhir.operations.referred import Referred
from liaison.fhir.operations.within import Within
from liaison.fhir.search.criteria import Query
from liaison.fhir.search.plan import plan
from liaison.fhir.search.run import Run
from liaison.fhir.search.scopes import bound, letter_for
from liaison.fhir.search.sql import Compiler, Position
from liaison.fhir.search.whole import BEFORE_ALL, PATIENT, Place, in_order, records
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Key, Request, Row
from liaison.fhir.store.rows import rows_of

_TOGETHER: Final = 16
"""Records read by one statement, when several patients are asked for."""


async def everything(store: Store, caller: Caller, where: Route, request: Request, base_url: str) -> Answer:
    """A page of the record of one patient, or of all the caller's patients. NotFound for a Patient absent or hidden."""
    letter = letter_for(caller, "Patient")
    if letter is None:
        raise Forbidden("The scopes of this token do not allow reading Patient.")
    call = Call.begin(store, caller, where, request, PATIENT_EVERYTHING)
    reading = _Reading(store, caller, base_url, call)
    if where.id_:
        key = store.key("Patient", where.id_)
        patients = [] if key is None else [key]
    else:
        run = Run(store, caller, plan(Query("Patient"), bound(caller, letter, "Patient", base_url), store.key))
        run.snapshot = call.here.snapshot or None
        patients = sorted(one.key for one in await run.all(sorted_=False))
        reading.snapshot = run.snapshot
    answer = await reading.answer(patients)
    if where.id_ and not reading.seen_patient and call.first:
        raise NotFound
    return answer._replace(singled=frozenset(key.patient for key in patients) if where.id_ else frozenset())


class _Reading:
    """One page of records."""

    def __init__(self, store: Store, caller: Caller, base_url: str, call: Call) -> None:
        self.store, self.caller, self.base_url, self.call = store, caller, base_url, call
        self.part = call.part(caller)
        self.snapshot: str | None = call.here.snapshot or None
        self.seen_patient = False
        self.within = Within(store, caller, base_url)

    async def answer(self, patients: Sequence[Key]) -> Answer:
        call = self.call
        found = await self._rows(patients)
        more = len(found) > call.count
        del found[call.count :]
        matches = await self.within.opened([row for row, _ in found])
        known = set(await sealed_list.load(self.store, call.here.stored))
        referred = Referred(self.store, self.caller, self.base_url, self.snapshot)
        included = await referred.closure(matches, known)
        if self.part.kinds is not None:
            included = [one for one in included if one.row.key.kind in self.part.kinds]
        following = None
        if more:
            last, moment = found[-1]
            following = call.here._replace(
                snapshot=self.snapshot or "",
                position=Position(moment, last.key.res, last.key.patient),
                offset=last.key.kind,
                stored=await sealed_list.save(self.store, sorted(known)) if known else b"",
            )
        total = len(matches) if call.first and not more else None
        return call.answer(self.store, self.caller, matches, included, following, self.base_url, total)

    async def _rows(self, patients: Sequence[Key]) -> list[tuple[Row, datetime]]:
        """One more than the page holds, if there are so many."""
        call, found = self.call, list[tuple[Row, datetime]]()
        after, position = BEFORE_ALL, call.here.position
        if position is not None:
            # A Patient comes first in its record, whatever its number: behind it stands all the rest.
            begun_at = Place(call.here.offset, position.moment, position.res)
            after = BEFORE_ALL if begun_at.kind == PATIENT else begun_at
            patients = [key for key in patients if key.patient >= position.patient]
        begun = position.patient if position is not None else 0
        for start in range(0, len(patients), _TOGETHER):
            need = call.count + 1 - len(found)
            if need <= 0:
                break
            some = patients[start : start + _TOGETHER]
            compiler = Compiler(self.store.filter, "patient", self.caller.session, self.snapshot)
            open_ = False
            first = after if some[0].patient == begun else BEFORE_ALL
            statement = records(compiler, some, first, self.part, need)
            fetched = await self.store.lanes.fetch(statement.text, *statement.arguments)
            if fetched:
                self.snapshot = fetched[0]["snapshot"]
            rows = [(row, record["moment"]) for row, record in zip(rows_of(fetched), fetched, strict=True)]
            for row, moment in in_order(rows) if len(some) == 1 else rows:
                if row.key.kind == PATIENT:
                    open_ = await self._opens(row)
                    if not open_ or row.key.patient == begun or not self._wants(row):
                        continue
                if open_:
                    found.append((row, moment))
        return found

    async def _opens(self, row: Row) -> bool:
        """Whether this Patient stands for its record: past the second wall, and within the criteria of the scopes.
        Otherwise it is like absent, and so is all that belongs to it."""
        opened = await self.within.opened([row])
        self.seen_patient = self.seen_patient or bool(opened)
        return bool(opened)

    def _wants(self, row: Row) -> bool:
        kinds, since = self.part.kinds, self.part.since
        return (kinds is None or PATIENT in kinds) and (since is None or row.at >= since)
