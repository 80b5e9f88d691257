"""Whom a question is about: the patients that its criteria single out, for the journal.

A number, or the answer "none", tells of a person as much as a row does. So an answer carries, beside the versions that it
shows, the patients whom its criteria name: by the id of the Patient or of anything in the record, or by business
identifier; wherever it stands, under `not` and at the end of a chain too, for what a question leaves out it tells of by
the difference. Those whom a chain found, or a count counted, are singled out while they are few.

Nothing is asked of the base for it until an answer would leave someone unnamed; then the base says on whom of them
the caller has some right now. Of nobody else is anything said.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from liaison.fhir.definitions import kind_of
from liaison.fhir.search.chain import Chained
from liaison.fhir.search.criteria import Criterion
from liaison.fhir.search.expression import leaves
from liaison.fhir.search.lists import Listed
from liaison.fhir.search.plan import NOBODY
from liaison.fhir.search.reference import Lineage, Link
from liaison.fhir.search.sql import COUNTED
from liaison.fhir.search.token import Token
from liaison.fhir.store.contract import Answer, Caller, Key, Singled
from liaison.fhir.store.identity import IDENTIFIER
from liaison.fhir.store.store import Store

FEW: Final = COUNTED - 1
"""Patients of whom a number still tells one by one: statistics of the SNDS leave out groups of fewer than 11."""

Held = Mapping[Singled, tuple[int, ...]]
"""The patients behind each way to single one out, of those on whom the caller has some right."""

KeyOf = Callable[[str, str], Key | None]
TokenOf = Callable[[str, str], bytes]


def singled_out(criteria: Iterable[Criterion], type_: str, key_of: KeyOf, token_of: TokenOf) -> Iterator[Singled]:
    """Whom criteria of this type name. Chains are left to their hops, each a question of its own.

    An identifier alone is no way to learn of someone unseen: whoever has it is shown, or counted, or is nobody that the
    caller knows.
    """
    asked = [one for one in leaves(list(criteria)) if not isinstance(one, Chained)]
    alone = sum(1 for _ in leaves(list(criteria))) == 1
    for one in asked:
        by_identifier = one.parameter.code == "identifier" and type_ == "Patient" and not alone
        by_identifier |= one.modifier == "identifier" and "Patient" in one.parameter.target
        for operand in one.operands:
            match operand:
                case Link(_, local):
                    yield from _behind(local, key_of)
                case Lineage(named, id_):
                    yield from _behind(((named, id_),), key_of)
                case Listed(id_):
                    yield from _behind((("List", id_),), key_of)
                case Token(str(system), str(code), _) if by_identifier:
                    yield token_of(system, code)
                case str() if one.parameter.code == "_id":
                    yield from _behind(((type_, operand),), key_of)


def _behind(named: Iterable[tuple[str, str]], key_of: KeyOf) -> Iterator[int]:
    """An id says which record it is in. One that was never made here is NOBODY's, who is asked for like anyone."""
    keys = [key_of(type_, id_) for type_, id_ in named]
    known = {key.patient for key in keys if key is not None}
    yield from known - {0}
    if keys and not known:
        yield NOBODY


def few(patients: Collection[int] | None) -> frozenset[int]:
    """These patients if a number about them tells of each; else none."""
    found = frozenset(patients or ()) - {0, NOBODY}
    return found if len(found) <= FEW else frozenset()


_TELLS_NOTHING: Final = frozenset({400, 401, 403})


def left_unnamed(answer: Answer) -> frozenset[Singled]:
    """Whom the answer, and those within it, are about without showing anything of them. What was refused before any
    record was looked at, or could not be done, tells of nobody; that several match (412), or none (404), does."""
    if not (answer.singled or answer.parts) or answer.status in _TELLS_NOTHING or answer.status >= 500:
        return frozenset()
    found = set(answer.singled)
    found.difference_update(one.key.patient for one in (*answer.disclosed, *answer.consulted))
    return frozenset(found).union(*(left_unnamed(part) for _, part in answer.parts))


async def held(store: Store, caller: Caller, singled: Collection[Singled]) -> Held:
    """Those of them on whom the caller has some right now, in one statement; one more finds who has an identifier."""
    behind: dict[Singled, list[int]] = {one: [one] for one in singled if isinstance(one, int)}
    if tokens := [one for one in singled if isinstance(one, bytes)]:
        named = await store.lanes.fetch(
            "select distinct t.patient, t.token from identity_token t where t.space = $1 and t.token = any($2::bytea[])"
            " and t.kind = $3",
            IDENTIFIER,
            tokens,
            kind_of("Patient"),
        )
        for patient, token in named:
            behind.setdefault(token, []).append(patient)
    # Asked of nobody too: that takes as long as of someone on whom the caller has no right.
    rows = await store.lanes.fetch(
        f"select p.patient from {store.filter.patients('$1::bigint')} p where p.patient = any($2::bigint[])",
        caller.session,
        sorted({patient for some in behind.values() for patient in some}) or [NOBODY],
    )
    known = {patient for (patient,) in rows}
    found = {one: tuple(patient for patient in some if patient in known) for one, some in behind.items()}
    return {one: patients for one, patients in found.items() if patients}
