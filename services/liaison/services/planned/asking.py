"""Questions about everybody's plans, answered by SQL from the rows of `planned`; nothing is opened.

Every row is joined to the current version that it is of, and counts only where the caller may see that one: by the grants that ask
for no owner, united for each patient once, or else by the predicate itself. The journal is owed an entry by whoever asks.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final, NamedTuple

from liaison.fhir.search.searching import permitted
from liaison.fhir.search.where import Binder
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Caller, Key, make
from liaison.fhir.store.rows import owner_token
from liaison.protocols.calendar import State
from liaison.services.planned.keeping import PLAN, STEP, Owned, Standing, name_tokens

_JOINED: Final = (
    "v.patient = {row}.patient and v.kind = {row}.kind and v.res = {row}.res and v.version = {row}.version"
    " and v.superseded is null and not v.deleted"
)
# In a CASE, for the predicate is asked only where the cheap test has not said yes already.
_VISIBLE: Final = (
    "case when v.classes <> 0 and v.classes & coalesce({mask}, 0) = v.classes then true else {visible} end"
)

# The step that comes first is found by the index alone, and its version is looked up; the others are sorted and asked about only where
# the first may not be seen. `offset 0`: they are sorted before they are joined, so that only the versions are looked up that are needed.
_STEPS: Final = """
    select t.patient, t.kind, t.res, t.version, t.due, t.owned from planned t
    where t.patient = p.patient and t.kind = {step} and t.standing = 0 {more} order by t.due, t.res
"""
_FOLLOWED: Final = """
    with united as materialized ({united}), plan as materialized (
        select distinct on (f.patient) f.patient, f.res, f.due, u.mask, k.n
        from unnest({patients}) with ordinality k (patient, n)
        join planned f on f.patient = k.patient and f.kind = {plan} and f.standing = {standing}
             and f.names && ({protocols})[(k.n - 1)::int * {each} + 1 : k.n::int * {each}]
        left join united u on u.patient = f.patient
        join version v on {of_plan}
        where {plan_visible}
        order by f.patient, f.due, f.res
    )
    select p.patient, p.res, n.res as step, n.due, n.owned from plan p left join lateral (
        select t.*, exists (select from version v where {of_step} and {step_visible}) as seen from ({steps} limit 1) t
    ) one on true left join lateral (
        select one.res, one.due, one.owned where one.seen
        union all (
            select t.res, t.due, t.owned from ({steps} offset 0) t join version v on {of_step}
            where not one.seen and {step_visible} order by t.due, t.res limit 1
        )
    ) n on true
    order by n.due nulls last, n.res, p.due, p.res
"""

# Late, due, done or excused as liaison.protocols.calendar says it of a Task.
_STANDING: Final = """
    with united as materialized ({united})
    select t.patient, t.res, t.due, t.done,
           case when t.standing <> 0 then t.standing when t.due < $3 then -1 else 0 end as state,
           case when t.standing = 0 and t.due < 'infinity' then $3 - t.due else 0 end as days
    from planned t join version v on {of_step} left join united u on u.patient = t.patient
    where t.kind = $2 and ($4::bigint[] is null or t.patient = any($4)) and {step_visible}
"""
_STATES: Final = {-1: State.LATE, 0: State.DUE, 1: State.DONE, 2: State.EXCUSED}


class Followed(NamedTuple):
    """Somebody's plan, and the step to do that comes first; None where nothing is left of what was asked for. `due` is None where it
    has no day. `unsure`: it has an owner of whom the caller need not know."""

    plan: Key
    step: Key | None
    due: date | None
    unsure: bool


class Step(NamedTuple):
    """A step as liaison.protocols.calendar.Entry has it. `days` counts from the due day, negative when it is still to come."""

    key: Key
    state: State
    due: date | None
    done: date | None
    days: int


async def followed(
    store: Store,
    caller: Caller,
    protocols: Sequence[str],
    *,
    ended: bool = False,
    step: str = "",
    owners: Sequence[str] | None = None,
    but: Collection[Key] = (),
) -> list[Followed]:
    """Of each of the caller's patients who follows one of these protocols (URLs), or did, the first plan, and the step that comes
    first; the soonest first. `step`: only those of this code. `owners`: only theirs (references), with none those without an
    owner. `but`: without these steps. Raises Forbidden."""
    for type_ in ("CarePlan", "Task"):
        permitted(caller, (type_,))
    bind = Binder()
    session = bind.add(caller.session, "bigint")
    found = await store.database.fetch(f"select p.patient from {store.filter.patients('$1::bigint')} p", caller.session)
    keys = await store.vault.patient_keys(store.database.reading, [row[0] for row in found])

    def names(*texts: str) -> str:
        """An array with a slice for each patient."""
        return bind.add([token for key in keys.values() for token in name_tokens(key, texts)], "bigint[]")

    more = ""
    if step:
        more += f" and ({names(step)})[p.n::int] = any(t.names)"
    if owners:
        each = len(owners)
        theirs = bind.add([owner_token(key, one) for key in keys.values() for one in owners], "bigint[]")
        more += f" and t.owner = any(({theirs})[(p.n - 1)::int * {each} + 1 : p.n::int * {each}])"
    elif owners is not None:
        more += f" and t.owned <> {bind.add(Owned.BY_KNOWN, 'smallint')}"
    if but:
        more += f" and t.res <> all({bind.add([key.res for key in but], 'bigint[]')})"
    text = _FOLLOWED.format(
        united=store.filter.united(session),
        patients=bind.add(list(keys), "bigint[]"),
        plan=bind.add(PLAN, "smallint"),
        standing=bind.add(Standing.DONE if ended else Standing.OPEN, "smallint"),
        protocols=names(*protocols),
        each=bind.add(len(protocols), "integer"),
        steps=_STEPS.format(step=bind.add(STEP, "smallint"), more=more),
        of_plan=_JOINED.format(row="f"),
        of_step=_JOINED.format(row="t"),
        plan_visible=_visible(store, "u.mask", session),
        step_visible=_visible(store, "p.mask", session),
    )
    return [
        make(
            Followed,
            (
                make(Key, (patient, PLAN, plan)),
                None if first is None else make(Key, (patient, STEP, first)),
                None if due == date.max else due,
                owned == Owned.OTHERWISE,
            ),
        )
        for patient, plan, first, due, owned in await store.database.fetch(text, *bind.arguments)
    ]


async def steps(store: Store, caller: Caller, on: date, patients: Sequence[int] | None = None) -> list[Step]:
    """Every step that the caller may see, of these patients or of all, where it stands on that day. Raises Forbidden."""
    permitted(caller, ("Task",))
    text = _STANDING.format(
        united=store.filter.united("$1::bigint"),
        of_step=_JOINED.format(row="t"),
        step_visible=_visible(store, "u.mask", "$1::bigint"),
    )
    rows = await store.database.fetch(text, caller.session, STEP, on, patients)
    return [
        Step(Key(row["patient"], STEP, row["res"]), _STATES[row["state"]], _day(row["due"]), row["done"], row["days"])
        for row in rows
    ]


def _visible(store: Store, mask: str, session: str) -> str:
    return _VISIBLE.format(mask=mask, visible=store.filter.visible("v", session))


def _day(found: date | None) -> date | None:
    return None if found == date.max else found
