"""The statements that find rows of any type by the tokens of their references, over `visible` like any other.

They stand beside the compiler because nothing else may name rows of the record (see liaison.fhir.search.sql).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from liaison.fhir.search.sql import Compiler, Statement
from liaison.fhir.search.where import Binder
from liaison.fhir.store.rows import COLUMNS


class Token(NamedTuple):
    """What an index row that is looked for carries."""

    patient: int
    kind: int
    param: int
    token: int


class Place(NamedTuple):
    """A row in the order of `naming`."""

    kind: int
    moment: datetime
    res: int
    patient: int


def naming(compiler: Compiler, wanted: Sequence[Token], limit: int, after: Place | None = None) -> Statement:
    """The rows that carry one of these tokens, each once: by type, newest main date first.

    Rows are COLUMNS, the evidence, and the main date.
    """
    bind = Binder()
    session = bind.add(compiler.session, "bigint")
    head = compiler.visible(bind, session, "row", compiler.owner(bind, {one.patient for one in wanted}))
    table = "directory_index_token" if compiler.family == "directory" else "index_token"
    past = ""
    if after is not None:
        kind, moment = bind.add(after.kind, "smallint"), bind.add(after.moment, "timestamptz")
        res, patient = bind.add(after.res, "bigint"), bind.add(after.patient, "bigint")
        past = (
            f" where v.kind >= {kind} and (v.kind > {kind} or v.clinical < {moment} or (v.clinical = {moment}"
            f" and (v.res > {res} or (v.res = {res} and v.patient > {patient}))))"
        )
    return Statement(
        f"{head}select {COLUMNS}, v.evidence, v.clinical"
        f" from (select distinct d.patient, d.kind, d.res, d.version from {_wanted(bind, wanted)} join {table} d"
        " on d.patient = k.patient and d.kind = k.kind and d.param = k.param and d.token = k.token) d"
        " join visible v on v.patient = d.patient and v.kind = d.kind and v.res = d.res and v.version = d.version"
        f"{past} order by v.kind, v.clinical desc, v.res, v.patient limit {bind.add(limit, 'bigint')}",
        bind.arguments,
    )


def carried(compiler: Compiler, wanted: Sequence[Token]) -> Statement:
    """Of these tokens, (patient, kind, param) of those that some row in a record carries."""
    bind = Binder()
    head = compiler.visible(bind, bind.add(compiler.session, "bigint"))
    return Statement(
        f"{head}select k.patient, k.kind, k.param from {_wanted(bind, wanted)} where exists (select 1 from index_token d"
        " join visible v on v.patient = d.patient and v.kind = d.kind and v.res = d.res and v.version = d.version"
        " where d.patient = k.patient and d.kind = k.kind and d.param = k.param and d.token = k.token)",
        bind.arguments,
    )


def held(compiler: Compiler, patients: Sequence[int]) -> Statement:
    """(patient, kind) of each type of which something is in each of these records. One probe for each, from the first
    type to the next by the index that orders a record."""
    bind = Binder()
    head = compiler.visible(bind, bind.add(compiler.session, "bigint"))
    following = "select v.kind from visible v where v.patient = p.patient{} order by v.kind limit 1"
    return Statement(
        f"{head}select p.patient, k.kind from unnest({bind.add(list(patients), 'bigint[]')}) p(patient)"
        f" cross join lateral (with recursive t(kind) as (({following.format('')})"
        f" union all select ({following.format(' and v.kind > t.kind')}) from t where t.kind is not null)"
        " select t.kind from t where t.kind is not null) k",
        bind.arguments,
    )


def _wanted(bind: Binder, wanted: Sequence[Token]) -> str:
    types = ("bigint[]", "smallint[]", "smallint[]", "bigint[]")
    columns = ", ".join(bind.add([one[part] for one in wanted], type_) for part, type_ in enumerate(types))
    return f"unnest({columns}) k(patient, kind, param, token)"
