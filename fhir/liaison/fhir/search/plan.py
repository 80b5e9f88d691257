"""From a query to the way it is answered: whose records, what SQL decides, what is decided after decryption, the order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from liaison.fhir.definitions import DIRECTORY_TYPES, SearchParameter, kind_of, ownership
from liaison.fhir.search import composite, expression, reference, token, words
from liaison.fhir.search.chain import Chained
from liaison.fhir.search.conditions import (
    All,
    Any,
    Condition,
    Ids,
    Owners,
    Present,
    Proven,
    Tokens,
    all_of,
    any_of,
    implied_patients,
)
from liaison.fhir.search.criteria import Criterion, Query
from liaison.fhir.search.expression import Expression, Tested, conjuncts, leaves
from liaison.fhir.search.kinds import kind_for
from liaison.fhir.search.paths import names_owner, owner_parameter, paths
from liaison.fhir.search.sort import BY_CLINICAL, BY_UPDATE, looked_at, order_of
from liaison.fhir.search.sql import Family, Order
from liaison.fhir.store.contract import Key

HIDDEN_DATES: Final = frozenset({"Patient", "RelatedPerson", "Person"})
"""Types none of whose dates stand in clear, in no table: date criteria on them are decided after decryption."""

NOBODY: Final = -1
"""The patient of an id that was never made here: it has no rows, and a question about it costs the same as any other."""

_INDEXED: Final = frozenset({"token", "string", "reference", "uri"})
_NOTHING: Final = Any(())
_EVERYTHING: Final = All(())

KeyOf = Callable[[str, str], Key | None]
Alternatives = tuple[tuple[Criterion, ...], ...]
"""Criteria of which one group must hold whole; () asks nothing."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`owners` None: every patient of the caller. `residual`: criteria, and groups of them, still to be decided."""

    query: Query
    kind: int
    families: tuple[Family, ...]
    owners: tuple[int, ...] | None
    condition: Condition
    residual: tuple[Criterion, ...]
    residual_bound: Alternatives
    order: Order | None
    also: frozenset[int] = frozenset()
    """Parameters whose values are wanted of the matches besides, by number."""

    @property
    def decided(self) -> bool:
        """Whether SQL alone decides which resources match."""
        return not self.residual and not self.residual_bound

    @property
    def identifiers(self) -> tuple[tuple[str, str], ...]:
        """(system, value) pairs of which a match must carry one as its own identifier; () when that is not asked."""
        for one in self.query.criteria:
            if one.parameter.code == "identifier" and not one.modifier and one not in self.residual:
                pairs = [(token.system, token.code) for token in one.operands]
                if paths(one.parameter, self.query.type_) == {"identifier"} and all(None not in pair for pair in pairs):
                    return tuple(pairs)
        return ()

    @property
    def needed(self) -> frozenset[int]:
        """The parameters whose values decide or order the matches after decryption."""
        criteria = leaves((*self.residual, *(one for group in self.residual_bound for one in group)))
        decide = [one.parameter.number for one in criteria] + [
            looked_at(key, self.query.type_) for key in self.query.sort
        ]
        return self.also.union(decide)


def reads_words(made: Plan) -> bool:
    """Whether whole texts decide: they are read anew each time, never kept."""
    return not words.TEXTS.keys().isdisjoint(made.needed)


def families_of(type_: str) -> tuple[Family, ...]:
    """The families of tables in which resources of this type are kept."""
    rule = ownership(type_)
    if rule.rule == "directory":
        return ("directory",)
    return ("patient", "directory") if type_ in DIRECTORY_TYPES else ("patient",)


def plan(query: Query, bound: Alternatives, key_of: KeyOf, known: Mapping[Criterion, Condition] | None = None) -> Plan:
    """`bound` is what the caller's scopes ask beside the query; `key_of` reads ids; `known` is what each chained
    criterion means (liaison.fhir.search.links)."""
    type_ = query.type_
    decided: list[Condition] = []
    residual = []
    for criterion in conjuncts(query.criteria):
        condition = condition_of(criterion, type_, key_of, known)
        if condition is None:
            residual.append(criterion)
            required = _required(criterion, type_)
            if required is not None:
                decided.append(required)
        else:
            decided.append(condition)
    residual_bound: Alternatives = ()
    if bound:
        allowed = any_of(all_of(condition_of(one, type_, key_of) for one in group) for group in bound)
        if allowed is None:
            residual_bound = bound
        else:
            decided.append(allowed)
    condition = All(tuple(decided))
    owners = implied_patients(condition)
    families = families_of(type_)
    if len(families) > 1 and owners is not None and not {0} < owners:
        families = ("directory",) if owners == {0} else ("patient",)
    return Plan(
        query,
        kind_of(type_),
        families,
        None if owners is None else tuple(sorted(owners - {0})) or (NOBODY,),
        condition,
        tuple(residual),
        residual_bound,
        order_of(type_, query.sort, BY_UPDATE if families == ("directory",) else BY_CLINICAL, query.criteria),
    )


def hides_dates(parameter: SearchParameter, type_: str) -> bool:
    """Whether dates of this parameter stand in no index: they are decided after decryption."""
    return parameter.added or type_ in HIDDEN_DATES


def within(made: Plan, patients: frozenset[int] | None) -> Plan:
    """The plan, looking at the records of these patients only; None: as it is."""
    if patients is None or "patient" not in made.families:
        return made
    owners = patients if made.owners is None else patients.intersection(made.owners)
    return replace(made, owners=tuple(sorted(owners - {0})) or (NOBODY,))


def condition_of(
    criterion: Criterion, type_: str, key_of: KeyOf, known: Mapping[Criterion, Condition] | None = None
) -> Condition | None:
    """The criterion as SQL can decide it, exactly, or None. `known` as in `plan`."""
    if isinstance(criterion, Expression):
        return expression.condition(criterion, lambda part: condition_of(part, type_, key_of, known))
    if isinstance(criterion, Chained):
        return known.get(criterion) if known else None
    if isinstance(criterion, Tested):
        return None
    parameter = criterion.parameter
    if criterion.modifier == "missing":
        return _missing(criterion, type_)
    if parameter.code == "_id":
        return _ids(criterion, type_, key_of)
    if parameter.type == "date" and parameter.code != "_lastUpdated" and hides_dates(parameter, type_):
        return None
    if criterion.modifier != "identifier" and names_owner(parameter, type_):
        return _owner(criterion, type_, key_of)
    return kind_for(criterion).narrow(criterion)


def _required(criterion: Criterion, type_: str) -> Condition | None:
    """What SQL can ask of the rows that a criterion is decided on after decryption: no match fails it."""
    if isinstance(criterion, Expression | Chained | Tested):
        return None
    if criterion.modifier == "of-type":
        return token.carries(criterion)
    if criterion.modifier:
        return None
    return composite.required(criterion, type_) if criterion.parameter.type == "composite" else None


def _missing(criterion: Criterion, type_: str) -> Condition | None:
    parameter = criterion.parameter
    [missing] = criterion.operands
    if parameter.code in ("_id", "_lastUpdated"):
        return _NOTHING if missing else _EVERYTHING
    if names_owner(parameter, type_) and parameter is not owner_parameter(type_):
        return None  # its references to the owner are indexed under the owner's parameter
    if parameter.type in _INDEXED:
        return Present(parameter.number, dates=False, negated=missing)
    if parameter.type == "date" and not hides_dates(parameter, type_):
        return Present(parameter.number, dates=True, negated=missing)
    return None


def _ids(criterion: Criterion, type_: str, key_of: KeyOf) -> Condition:
    keys = [key_of(type_, id_) or Key(NOBODY, 0, 0) for id_ in criterion.operands]
    if criterion.modifier == "not":
        return Ids(tuple(key.res for key in keys), negated=True)
    return All((Owners(tuple(key.patient for key in keys)), Ids(tuple(key.res for key in keys))))


def _owner(criterion: Criterion, type_: str, key_of: KeyOf) -> Condition | None:
    """References at the element that names the owner: an id says which record, so one record is looked at."""
    rule, indexed = ownership(type_), owner_parameter(type_)
    assert indexed is not None
    found: list[Condition] = []
    for link in criterion.operands:
        ids = [id_ for named, id_ in link.local if named == "Patient"]
        others = tuple(one for one in link.written if not (ids and _is_patient(one, ids[0])))
        if ids:
            key = key_of("Patient", ids[0])
            patient = NOBODY if key is None or not key.patient else key.patient
            written = tuple(reference.of(one) for one in link.written if _is_patient(one, ids[0]))
            # Some rows name no Patient, or another version: each has to be looked at.
            each = rule.through or rule.otherwise != "refuse" or bool(link.version)
            named: Condition = Tokens(indexed.number, written) if each else Proven(patient, indexed.number, written)
            found.append(All((Owners((patient,)), named)))
        # Where every resource names one patient and nothing else, another reference is met by none.
        if others and (not ids or rule.through or "." in rule.path or rule.otherwise != "refuse"):
            found.append(Tokens(criterion.parameter.number, tuple(reference.of(one) for one in others)))
    return any_of(found)


def _is_patient(written: str, id_: str) -> bool:
    return written.partition("/_history/")[0].endswith(f"Patient/{id_}")
