"""From conditions to one statement. The only relation over record rows that this module can name is `visible`.

Every statement opens with the common table expression `visible`: version rows that belong to the snapshot and that the
access filter lets the session see. All else (index probes, order, count, LIMIT) is written on it, so that nothing
hidden can be counted, sorted by, probed or paged over. Index tables are only ever joined to a visible row.

Values are parameters, always; the text depends on the shape of the query alone, so that PostgreSQL plans it once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

from liaison.fhir.search.conditions import Condition, Linked, Marked, Tokens
from liaison.fhir.search.where import Binder, TokenOf, Where, start_of
from liaison.fhir.store.contract import AccessFilter
from liaison.fhir.store.rows import COLUMNS

COUNTED: Final = 11
"""Patients that a count names at most: one more than are few (liaison.fhir.search.singled.FEW)."""

Family = Literal["patient", "directory"]
Columns = Literal["row", "key"]


class Order(NamedTuple):
    """The one order of a statement: a moment of the row, then res (and patient), all reversed when ascending."""

    column: Literal["clinical", "at"]
    descending: bool = True

    @property
    def turned(self) -> "Order":
        return self._replace(descending=not self.descending)


class Position(NamedTuple):
    """The last row of a page, in the order of the statement. `included`: what follows begins with it."""

    moment: datetime
    res: int
    patient: int
    included: bool = False


class Statement(NamedTuple):
    text: str
    arguments: list[Any]


_COLUMNS: Final[dict[Columns, str]] = {
    "row": f"{COLUMNS}, v.evidence",
    "key": "v.patient, v.kind, v.res, v.version, v.at, v.classes",
}


@dataclass(frozen=True, slots=True)
class Compiler:
    """Writes the statements of one session on one family of tables.

    `snapshot` None means now: the statement's own snapshot, which its rows also return.
    """

    filter: AccessFilter
    family: Family
    session: int
    snapshot: str | None = None

    def _table(self, name: str) -> str:
        return f"directory_{name}" if self.family == "directory" else name

    def visible(self, bind: Binder, session: str, columns: Columns = "key", owner: str = "") -> str:
        """The one relation that the rest of a statement may name. With whole rows comes the evidence, in one look-up.

        `owner` names the patient (see `owner`) of whom all its rows are then: what the session holds on them is looked up
        once for all these rows.
        """
        snapshot = "" if self.snapshot is None else bind.add(self.snapshot, "text")
        return _visible(self.filter, self.family, session, snapshot, columns, owner)  # type: ignore[arg-type]  # hashed by identity

    def owner(self, bind: Binder, patients: Collection[int]) -> str:
        """The placeholder of the one patient of whom all rows of a statement are; '' for several, and in the directory."""
        if self.family == "directory" or len(patients) != 1:
            return ""
        [patient] = patients
        return bind.add(patient, "bigint")

    def snapshot_of(self, bind: Binder) -> str:
        # A subselect is asked once, not for each row.
        return "(select pg_current_snapshot()::text)" if self.snapshot is None else bind.add(self.snapshot, "text")

    def page(
        self,
        kind: int,
        patients: Sequence[int],
        condition: Condition,
        token: TokenOf,
        *,
        order: Order,
        limit: int,
        columns: Columns = "row",
        after: Position | None = None,
        total: Marked | None = None,
    ) -> Statement:
        """Rows of one type in order: the columns, then the moment of the order, the snapshot and, with `total`, the
        number of all that match, wherever the page starts, and of those among them that are marked."""
        bind = Binder()
        session = bind.add(self.session, "bigint")
        owner = self.owner(bind, patients)
        head = self.visible(bind, session, columns, owner)
        wanted = f"{_COLUMNS[columns]}, v.{order.column} as moment, {self.snapshot_of(bind)} as snapshot"
        if total is not None:
            every = self._body(bind, owner, kind, patients, condition, token, marked=total)
            wanted += f", (select array[count(*), count(*) filter (where c.marked)] from ({every}) c) as total"
        if len(patients) == 1:  # in order already: to be told so again costs PostgreSQL a tenth of the statement
            body = self._body(bind, owner, kind, patients, condition, token, order, after, limit, wanted=wanted)
            return Statement(f"{head}{body}", bind.arguments)
        body = self._body(bind, owner, kind, patients, condition, token, order, after, limit)
        ordering = _ordering(_ROWS._replace(moment=f"v.{order.column}"), order)
        return Statement(f"{head}select {wanted} from ({body}) v {ordering}", bind.arguments)

    def every(self, kind: int, patients: Sequence[int], condition: Condition, token: TokenOf, limit: int) -> Statement:
        """The key columns of all rows that satisfy the condition, `limit` at most, as `page` gives them, in no order.

        Asked for in the order of an index, they would be read along it: all of each record, for the few that match.
        """
        bind = Binder()
        session, owner = bind.add(self.session, "bigint"), self.owner(bind, patients)
        head = self.visible(bind, session, owner=owner)
        body = self._body(bind, owner, kind, patients, condition, token)
        return Statement(
            f"{head}select {_COLUMNS['key']}, v.at as moment, {self.snapshot_of(bind)} as snapshot from ({body}) v"
            f" limit {bind.add(limit, 'bigint')}",
            bind.arguments,
        )

    def count(
        self, kind: int, patients: Sequence[int], condition: Condition, token: TokenOf, marked: Marked
    ) -> Statement:
        """The number of visible rows that satisfy the condition and are not marked, the first `COUNTED` patients that have
        one, the number of those that are marked, and the snapshot.

        Whole rows of `visible`: the verdict on them stands in a join, and PostgreSQL keeps it for rows alike.
        """
        bind = Binder()
        session, owner = bind.add(self.session, "bigint"), self.owner(bind, patients)
        head = self.visible(bind, session, "row", owner)
        body = self._body(bind, owner, kind, patients, condition, token, marked=marked)
        return Statement(
            f"{head}select coalesce(sum(c.found), 0)::bigint as total,"
            f" (array_agg(c.patient) filter (where c.found > 0))[:{COUNTED}] as patients,"
            f" coalesce(sum(c.marked), 0)::bigint as marked, {self.snapshot_of(bind)} as snapshot"
            " from (select c.patient, count(*) filter (where not c.marked) as found,"
            f" count(*) filter (where c.marked) as marked from ({body}) c group by c.patient) c",
            bind.arguments,
        )

    def present(self, kinds: Sequence[int], patients: Sequence[int]) -> Statement:
        """Of these types, those of which a visible row is in one of these records."""
        bind = Binder()
        session = bind.add(self.session, "bigint")
        head = self.visible(bind, session, owner=self.owner(bind, patients))
        return Statement(
            f"{head}select k.kind from unnest({bind.add(list(kinds), 'smallint[]')}) k(kind) where exists (select 1 from"
            f" unnest({bind.add(list(patients), 'bigint[]')}) p(patient) join visible v on v.patient = p.patient"
            " and v.kind = k.kind)",
            bind.arguments,
        )

    def owners(
        self, kind: int, patients: Sequence[int], condition: Condition, token: TokenOf, marked: Marked
    ) -> Statement:
        """(patient, marked, snapshot) of each patient with at least one visible row that satisfies the condition: whether the
        one that was found is marked."""
        bind = Binder()
        session, owner = bind.add(self.session, "bigint"), self.owner(bind, patients)
        head = self.visible(bind, session, owner=owner)
        body = self._body(bind, owner, kind, patients, condition, token, each=1, marked=marked)
        return Statement(
            f"{head}select v.patient, v.marked, {self.snapshot_of(bind)} as snapshot from ({body}) v", bind.arguments
        )

    def rows(self, keys: Sequence[tuple[int, int, int]], *, columns: Columns = "row") -> Statement:
        """The rows of these resources, in the order given; those not visible are not there."""
        bind = Binder()
        session = bind.add(self.session, "bigint")
        head = self.visible(bind, session, columns, self.owner(bind, {patient for patient, _, _ in keys}))
        wanted = ", ".join(
            bind.add([key[part] for key in keys], type_)
            for part, type_ in enumerate(("bigint[]", "smallint[]", "bigint[]"))
        )
        return Statement(
            f"{head}select {_COLUMNS[columns]}, v.at as moment, {self.snapshot_of(bind)} as snapshot"
            f" from unnest({wanted}) with ordinality k(patient, kind, res, n)"
            " join visible v on v.patient = k.patient and v.kind = k.kind and v.res = k.res order by k.n",
            bind.arguments,
        )

    def _body(
        self,
        bind: Binder,
        owner: str,
        kind: int,
        patients: Sequence[int],
        condition: Condition,
        token: TokenOf,
        order: Order | None = None,
        after: Position | None = None,
        limit: int | None = None,
        each: int | None = None,
        marked: Marked | None = None,
        wanted: str = "v.*",
    ) -> str:
        """A select of whole visible rows, in order and cut at `limit` when there is one. `each`: without an order, at
        most so many of each patient. With `marked`, it says of each whether it is. `wanted`, of one patient: only these
        columns."""
        many = len(patients) != 1
        source = f"unnest({bind.add(list(patients), 'bigint[]')}) with ordinality k(patient, n)" if many else ""
        owner = owner or ("k.patient" if many else bind.add(patients[0], "bigint"))
        where = Where(bind, self._table, patients, owner, bind.add(kind, "smallint"), token)
        start, rest = start_of(condition)
        tests = [where.test(one) for one in rest]
        cut = "" if order is None or limit is None else f" limit {bind.add(limit, 'bigint')}"
        if many and isinstance(start, Tokens | Linked) and order is not None and order.column == "clinical":
            # Index rows of all patients are put in order first; then each is looked at, until there are enough.
            columns = _Columns("d.clinical", "d.res", "k.patient")
            past = "" if after is None else f" and {_past(bind, columns, order, after)}"
            ranked = f"{where.ranked(start, source)}{past} {_ordering(columns, order)}"
            joined = "v.patient = k.patient and v.kind = k.kind and v.res = k.res and v.version = k.version"
            found = " and ".join([f"select v.* from ({ranked}) k join visible v on {joined} where true", *tests])
            return f"{found} {_ordering(_Columns('k.clinical', 'k.res', 'k.patient'), order)}{cut}"
        if start is None:
            walk, moved = f"visible v where v.patient = {owner} and v.kind = {where.kind}", "v"
        else:
            walk, moved = where.walk(start)
        row = wanted if marked is None else f"{wanted}, {where.test(marked)} as marked"
        if order is None:
            columns = _ROWS
        elif order.column == "clinical":
            columns = _Columns(f"{moved}.clinical", f"{moved}.res", "v.patient")
        else:
            columns = _ROWS._replace(moment="v.at")
        if after is not None and order is not None:
            tests.append(_past(bind, columns, order, after))
        inner = " and ".join([f"select {row} from {walk}", *tests])
        if order is not None:
            inner += f" {_ordering(columns, order, many=False)}{cut}"
        elif each is not None:
            inner += f" limit {bind.add(each, 'bigint')}"
        if not many:
            return inner
        merged = f"select v.* from {source} cross join lateral ({inner}) v"
        return (
            merged if order is None else f"{merged} {_ordering(_ROWS._replace(moment=f'v.{order.column}'), order)}{cut}"
        )


@lru_cache(maxsize=256)
def _visible(filter_: AccessFilter, family: Family, session: str, snapshot: str, columns: Columns, owner: str) -> str:
    """The same text each time: `session`, `snapshot` ('' for now) and `owner` ('' for several) are placeholders."""
    alive = "v.superseded is null"
    if snapshot:
        then = f"({snapshot})::pg_snapshot"
        alive = (
            f"pg_visible_in_snapshot(v.created, {then})"
            f" and (v.superseded is null or not pg_visible_in_snapshot(v.superseded, {then}))"
        )
    rights, evidence, more = "", "", ""
    if family == "directory":
        table, rule = "directory_version", filter_.visible_directory("v", session)
        evidence = ", null::text as evidence"
    elif owner:
        # The patient is asked of each row again: `held` decides the rows of this one alone.
        table, rule = "version", f"v.patient = {owner} and {filter_.covered('v', 'held', 'summed')}"
        rights = f"held as materialized ({filter_.held(owner, session)}), "
        rights += f"summed as materialized ({filter_.summed('held')}), "
        evidence = f", {filter_.evidence('held')} as evidence" if columns == "row" else ""
    elif columns == "row":
        table, rule = "version", "d.allowed"
        evidence, more = ", d.evidence", f" cross join {filter_.decided('v', session)} d"
    else:
        table, rule = "version", filter_.visible("v", session)
    return (
        f"with {rights}visible as not materialized (select v.*{evidence} from {table} v{more}"
        f" where {alive} and not v.deleted and ({rule})) "
    )


class _Columns(NamedTuple):
    """The columns that make an order, by the relation whose index has them in that order."""

    moment: str
    res: str
    patient: str


_ROWS: Final = _Columns("v.clinical", "v.res", "v.patient")


def _ordering(columns: _Columns, order: Order, *, many: bool = True) -> str:
    """Over one patient the last column says nothing, and would only keep an index from giving the order."""
    down, up = ("desc", "asc") if order.descending else ("asc", "desc")
    last = f", {columns.patient} {up}" if many else ""
    return f"order by {columns.moment} {down}, {columns.res} {up}{last}"


def _past(bind: Binder, columns: _Columns, order: Order, after: Position) -> str:
    """After a position, or from it on. The first comparison alone bounds the index walk."""
    moment, res, patient = (
        bind.add(after.moment, "timestamptz"),
        bind.add(after.res, "bigint"),
        bind.add(after.patient, "bigint"),
    )
    less, more = ("<", ">") if order.descending else (">", "<")
    last = f"{more}=" if after.included else more
    tie = f"{columns.res} {more} {res} or ({columns.res} = {res} and {columns.patient} {last} {patient})"
    return f"{columns.moment} {less}= {moment} and ({columns.moment} {less} {moment} or {tie})"
