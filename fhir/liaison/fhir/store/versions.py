"""Versions over many resources, newest first: the statements of instance, type and system history.

As in liaison.fhir.search.sql, the only relation over record rows that a page is made of is `visible`: versions of the
snapshot that the access filter lets the session see, each judged by its own classes, deletions included.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from liaison.fhir.store.contract import AccessFilter, Key
from liaison.fhir.store.rows import COLUMNS


class Place(NamedTuple):
    """Where a page ended: the order of a history is by moment, newest first, then by resource, then by version."""

    at: datetime
    res: int
    patient: int
    kind: int
    version: int


class Window(NamedTuple):
    """Which versions: written from `since` on; and current at some moment of [at, until), when those are given. None that
    was written after the `horizon`."""

    since: datetime | None = None
    at: datetime | None = None
    until: datetime | None = None
    horizon: datetime | None = None


_ORDER: Final = "order by v.at desc, v.res, v.patient, v.kind, v.version desc"
_AFTER: Final = (
    "v.at <= {0} and (v.at < {0} or v.res > {1} or (v.res = {1} and (v.patient, v.kind) > ({2}, {3}))"
    " or (v.res = {1} and v.patient = {2} and v.kind = {3} and v.version < {4}))"
)


class _Binder:
    def __init__(self) -> None:
        self.arguments: list[Any] = []

    def add(self, value: Any, type_: str) -> str:
        self.arguments.append(value)
        return f"${len(self.arguments)}::{type_}"


class Versions:
    """The statement of one history, for one session on one family of tables, as of a snapshot."""

    def __init__(self, filter_: AccessFilter, family: str, session: int, snapshot: str) -> None:
        self._filter = filter_
        self._table = "directory_version" if family == "directory" else "version"
        self._directory = family == "directory"
        self._bind = _Binder()
        self._session = self._bind.add(session, "bigint")
        self._held = self._bind.add(snapshot, "text")

    def page(
        self, kinds: Sequence[int], key: Key | None, window: Window, after: Place | None, limit: int
    ) -> tuple[str, list[Any]]:
        """The statement of the first `limit` versions after a place, with its arguments: row and evidence."""
        most = self._bind.add(limit, "bigint")
        cut = f" {_ORDER} limit {most}"
        body = self._body(kinds, key, self._tests(window, after), cut)
        return f"{self._visible()} select {COLUMNS}, v.evidence from ({body}) v{cut}", self._bind.arguments

    def count(self, kinds: Sequence[int], key: Key | None, window: Window) -> tuple[str, list[Any]]:
        """The statement of how many there are."""
        body = self._body(kinds, key, self._tests(window, None), "")
        return f"{self._visible()} select count(*) from ({body}) v", self._bind.arguments

    def _body(self, kinds: Sequence[int], key: Key | None, tests: str, cut: str) -> str:
        if key is None:
            inner = f"select v.* from visible v where v.patient = k.patient and v.kind = k.kind{tests}{cut}"
            return f"select v.* from ({self._places(kinds)}) k cross join lateral ({inner}) v"
        bind = self._bind
        patient, kind, res = (
            bind.add(key.patient, "bigint"),
            bind.add(key.kind, "smallint"),
            bind.add(key.res, "bigint"),
        )
        return (
            f"select v.* from visible v where v.patient = {patient} and v.kind = {kind} and v.res = {res}{tests}{cut}"
        )

    def _visible(self) -> str:
        alive = f"pg_visible_in_snapshot(v.created, ({self._held})::pg_snapshot)"
        if self._directory:
            rule = self._filter.visible_directory("v", self._session)
            return (
                f"with visible as not materialized (select v.*, null::text as evidence from {self._table} v"
                f" where {alive} and {rule})"
            )
        decided = self._filter.decided("v", self._session)
        return (
            f"with visible as not materialized (select v.*, d.evidence from {self._table} v cross join {decided} d"
            f" where {alive} and d.allowed)"
        )

    def _places(self, kinds: Sequence[int]) -> str:
        """The (patient, kind) pairs to look into: for one type those of the caller's patients, else what each has."""
        wanted = self._bind.add(list(kinds), "smallint[]")
        owners = "(select 0::bigint as patient)" if self._directory else self._filter.patients(self._session)
        if len(kinds) == 1:
            return f"select p.patient, ({wanted})[1] as kind from {owners} p"
        # A walk from one type of a patient to the next, by the primary key: PostgreSQL does not skip by itself.
        return (
            "with recursive k(patient, kind) as ("
            f" select p.patient, (select min(v.kind) from {self._table} v where v.patient = p.patient) from {owners} p"
            f" union all select k.patient, (select min(v.kind) from {self._table} v where v.patient = k.patient and"
            " v.kind > k.kind) from k where k.kind is not null)"
            f" select k.patient, k.kind from k where k.kind = any({wanted})"
        )

    def _tests(self, window: Window, after: Place | None) -> str:
        bind, tests = self._bind, ""
        if window.since is not None:
            tests += f" and v.at >= {bind.add(window.since, 'timestamptz')}"
        if window.horizon is not None:
            tests += f" and v.at <= {bind.add(window.horizon, 'timestamptz')}"
        if window.at is not None:
            low, high = bind.add(window.at, "timestamptz"), bind.add(window.until, "timestamptz")
            # Current until the next version that the caller can see; a deletion counts in the period in which it happened.
            tests += (
                f" and v.at < {high} and (v.at >= {low} or (not v.deleted and not exists (select from visible n where"
                " n.patient = v.patient and n.kind = v.kind and n.res = v.res and n.version > v.version"
                f" and n.at <= {low})))"
            )
        if after is not None:
            types = ("timestamptz", "bigint", "bigint", "smallint", "integer")
            tests += (
                f" and {_AFTER.format(*(bind.add(value, type_) for value, type_ in zip(after, types, strict=True)))}"
            )
        return tests
