"""The statements of $everything: all types of a record at once, written like any search over `visible` alone.

They stand beside the compiler because nothing else may name rows of the record (see liaison.fhir.search.sql).
"""

import math
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from liaison.fhir.definitions import (
    DIRECTORY_TYPES,
    RESOURCE_TYPES,
    SearchParameter,
    elements,
    kind_of,
    official_parameters,
)
from liaison.fhir.search import reference
from liaison.fhir.search.conditions import BEGINNING
from liaison.fhir.search.paths import is_clinical, paths
from liaison.fhir.search.sql import Compiler, Statement
from liaison.fhir.search.where import Binder
from liaison.fhir.store.contract import Key, Row
from liaison.fhir.store.rows import COLUMNS
from liaison.fhir.vault import PatientKey

PATIENT: Final = kind_of("Patient")


class Place(NamedTuple):
    """Where a resource stands in its record: by type, newest main date first."""

    kind: int
    moment: datetime
    res: int


BEFORE_ALL: Final = Place(-1, BEGINNING, 0)

_OWNED: Final = tuple(sorted(RESOURCE_TYPES - (DIRECTORY_TYPES - {"Schedule", "Slot"})))


class Part(NamedTuple):
    """Which part of a record is asked for. `kinds` None: every type. `low` and `high` bound the care dates: a resource
    counts when its main date (or period, or schedule from its first time to its last) lies at least partly within, or when
    it has none."""

    kinds: tuple[int, ...] | None = None
    since: datetime | None = None
    low: datetime | None = None
    high: datetime | None = None

    def tests(self, bind: Binder) -> str:
        """SQL over a row `v`, each test preceded by ' and '."""
        found = ""
        if self.kinds is not None:
            found += f" and v.kind = any({bind.add(list(self.kinds), 'smallint[]')})"
        if self.since is not None:
            found += f" and v.at >= {bind.add(self.since, 'timestamptz')}"
        if self.low is not None or self.high is not None:
            # As a search by date reads it: a period may have begun before, a schedule has further times.
            low = "" if self.low is None else bind.add(self.low, "timestamptz")
            high = "" if self.high is None else bind.add(self.high, "timestamptz")
            begins = [f"v.clinical >= {low}"] * bool(low) + [f"v.clinical < {high}"] * bool(high)
            reaches = [f"t.high > {low}"] * bool(low) + [f"t.low < {high}"] * bool(high)
            found += (
                f" and (v.clinical = '-infinity' or ({' and '.join(begins)}) or exists (select 1 from index_date t"
                " where t.patient = v.patient and t.kind = v.kind and t.res = v.res and t.version = v.version"
                f" and t.param = any({bind.add(list(_care_dates()), 'smallint[]')}) and {' and '.join(reaches)}))"
            )
        return found


def records(compiler: Compiler, patients: Sequence[Key], after: Place, part: Part, limit: int) -> Statement:
    """The records of these patients, in their order: the row of each Patient, whatever `part` says, then others by
    place, `limit` of them at most over all. Nothing of whom the Patient itself may not be seen. `after` is where the
    record of the first goes on. Of one patient they come in no order: see `in_order`.

    Rows are COLUMNS, the evidence, the moment of the place, and the snapshot.
    """
    bind = Binder()
    session = bind.add(compiler.session, "bigint")
    head = compiler.visible(bind, session, "row", compiler.owner(bind, {key.patient for key in patients}))
    starts = [after] + [BEFORE_ALL] * (len(patients) - 1)
    wanted = ", ".join(
        (
            bind.add([key.patient for key in patients], "bigint[]"),
            bind.add([key.res for key in patients], "bigint[]"),
            bind.add([one.kind for one in starts], "smallint[]"),
            bind.add([one.moment for one in starts], "timestamptz[]"),
            bind.add([one.res for one in starts], "bigint[]"),
        )
    )
    patient = bind.add(PATIENT, "smallint")
    most = bind.add(limit, "bigint")
    # Of one record the inner limit is the limit; whole rows are then put in order by the reader, for less.
    cut = ""
    if len(patients) > 1:
        most_of_all = bind.add(limit + len(patients), "bigint")
        cut = f" order by k.n, v.place, v.kind, v.clinical desc, v.res limit {most_of_all}"
    columns = f"{COLUMNS}, v.evidence, v.clinical"
    past = (
        "v.kind >= k.kind and (v.kind > k.kind or v.clinical < k.moment or (v.clinical = k.moment and v.res > k.res))"
    )
    return Statement(
        f"{head}select {columns} as moment, {compiler.snapshot_of(bind)} as snapshot"
        f" from unnest({wanted}) with ordinality k(patient, own, kind, moment, res, n)"
        f" join visible o on o.patient = k.patient and o.kind = {patient} and o.res = k.own"
        f" cross join lateral (select {columns.replace('v.', 'o.')}, 0 as place"
        f" union all (select {columns}, 1 as place from visible v where v.patient = k.patient and v.kind <> {patient}"
        f" and {past}{part.tests(bind)} order by v.kind, v.clinical desc, v.res limit {most})) v{cut}",
        bind.arguments,
    )


def in_order(record: Sequence[tuple[Row, datetime]]) -> list[tuple[Row, datetime]]:
    """The rows of one record, each with the moment of its place: the Patient, then the others by place."""
    return sorted(record, key=lambda one: (one[0].key.kind != PATIENT, one[0].key.kind, _since(one[1]), one[0].key.res))


def _since(moment: datetime) -> float:
    return math.inf if moment == BEGINNING else -moment.timestamp()


def referring(compiler: Compiler, key: PatientKey, type_: str, written: Sequence[str], limit: int) -> Statement:
    """What refers to one resource within the record of its patient, by any reference parameter that may; each once. And
    what may refer to it by an element that R4 gives no parameter (Immunization.encounter): the reader looks into these.

    `written` are the ways in which the reference may stand. Rows are COLUMNS, the evidence, and the snapshot.
    """
    bind = Binder()
    session = bind.add(compiler.session, "bigint")
    patient = bind.add(key.patient, "bigint")
    head = compiler.visible(bind, session, "row", patient)
    asked = [
        (kind, parameter.number, key.token(parameter.number, reference.of(text)))
        for kind, parameter in _referring(type_)
        for text in written
    ]
    columns: list[list[int]] = [list(column) for column in zip(*asked, strict=True)]
    wanted = ", ".join(
        bind.add(column, sql) for column, sql in zip(columns, ("smallint[]", "smallint[]", "bigint[]"), strict=True)
    )
    return Statement(
        f"{head}select {COLUMNS}, v.evidence, {compiler.snapshot_of(bind)} as snapshot"
        f" from (select distinct d.patient, d.kind, d.res, d.version from unnest({wanted}) k(kind, param, token)"
        f" join index_token d on d.patient = {patient} and d.kind = k.kind and d.param = k.param and d.token = k.token"
        f" union select v.patient, v.kind, v.res, v.version from visible v where v.patient = {patient}"
        f" and v.kind = any({bind.add(list(_unindexed(type_)), 'smallint[]')})) d"
        " join visible v on v.patient = d.patient and v.kind = d.kind and v.res = d.res and v.version = d.version"
        f" order by v.kind, v.clinical desc, v.res limit {bind.add(limit, 'bigint')}",
        bind.arguments,
    )


def labelled(
    compiler: Compiler, kinds: Sequence[int], parameters: Sequence[int], limit: int, *, each: bool
) -> Statement:
    """Visible rows of these types that carry a token of one of these parameters: one for each token of a record, or
    with `each` all of them.

    Over all patients on whom the session has a right. Rows are COLUMNS, the evidence, and the snapshot.
    """
    bind = Binder()
    session = bind.add(compiler.session, "bigint")
    head = compiler.visible(bind, session, "row")
    kind, param = bind.add(list(kinds), "smallint[]"), bind.add(list(parameters), "smallint[]")
    if compiler.family == "directory":
        source, table = "(values (0::bigint)) p(patient)", "directory_index_token"
    else:
        source, table = f"{compiler.filter.patients(session)} p", "index_token"
    once = "d.patient, d.kind, d.res" if each else "d.patient, d.param, d.token"
    return Statement(
        f"{head}select {COLUMNS}, v.evidence, {compiler.snapshot_of(bind)} as snapshot"
        f" from (select distinct on ({once}) v.* from {source} cross join unnest({kind}) k(kind)"
        f" cross join unnest({param}) q(param) join {table} d"
        " on d.patient = p.patient and d.kind = k.kind and d.param = q.param"
        " join visible v on v.patient = d.patient and v.kind = d.kind and v.res = d.res and v.version = d.version"
        f" order by {once}) v limit {bind.add(limit, 'bigint')}",
        bind.arguments,
    )


@cache
def _care_dates() -> tuple[int, ...]:
    """The date parameters that look at the main date of some type."""
    found = {p.number for type_ in _OWNED for p in official_parameters(type_).values() if is_clinical(p, type_)}
    return tuple(sorted(found))


@cache
def _unindexed(type_: str) -> tuple[int, ...]:
    """The types of which an element may refer to one of this type and no parameter looks at it."""
    found = []
    for source in _OWNED:
        indexed = {
            path for p in official_parameters(source).values() if p.type == "reference" for path in paths(p, source)
        }
        referring = [one.name for one in elements(source).values() if any(type_ in kind.targets for kind in one.types)]
        if not set(referring) <= indexed:
            found.append(kind_of(source))
    return tuple(found)


@cache
def _referring(type_: str) -> tuple[tuple[int, SearchParameter], ...]:
    """(kind, parameter): the reference parameters by which resources of a record may refer to one of this type."""
    return tuple(
        (kind_of(source), parameter)
        for source in _OWNED
        for _, parameter in sorted(official_parameters(source).items())
        if parameter.type == "reference"
        and parameter.expression
        and (not parameter.target or type_ in parameter.target)
    )
