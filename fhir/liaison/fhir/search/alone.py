"""What criteria say of a resource by itself, without the base: for the identities of conditional writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from liaison.fhir import model
from liaison.fhir.model import dates
from liaison.fhir.search.chain import is_chained
from liaison.fhir.search.criteria import Context, Criterion, Facts, Query
from liaison.fhir.search.decide import satisfies
from liaison.fhir.search.lists import Listed
from liaison.fhir.search.parse import criterion, pairs
from liaison.fhir.search.plan import KeyOf, plan
from liaison.fhir.search.reference import Lineage
from liaison.fhir.search.token import InSet, Related, Token
from liaison.fhir.store.contract import Tree

TEXTS: Final = frozenset({"_filter", "_text", "_content", "_list"})
"""Parameters that are decided on more than the values of parameters."""


def facts_of(type_: str, tree: Tree) -> Facts:
    """What criteria are decided on, from the content alone."""
    span = dates.span(str((tree.get("meta") or {}).get("lastUpdated", "")))
    updated = dates.EARLIEST if span is None else span[0]
    return Facts(type_, str(tree.get("id", "")), updated, model.extract(type_, tree))


@dataclass(frozen=True, slots=True)
class Alone:
    """The criteria of one query that a resource answers by itself. `whole`: these are all of them."""

    type_: str
    criteria: tuple[Criterion, ...]
    whole: bool

    @classmethod
    def of(cls, type_: str, query: str, base_url: str, now: datetime) -> "Alone":
        """BadRequest for what is no criterion. Chains, texts, lists and what stands in value sets ask the base: left out."""
        asked = Context(type_, base_url, now)
        given = pairs(query)
        plain = [one for one in given if not is_chained(one[0]) and one[0].partition(":")[0] not in TEXTS]
        read = [criterion(name, text, asked) for name, text in plain]
        kept = tuple(
            one
            for one in read
            if not any(isinstance(asked, InSet | Related | Listed | Lineage) for asked in one.operands)
        )
        return cls(type_, kept, len(kept) == len(given))

    def met(self, facts: Facts) -> bool:
        return satisfies(facts, self.criteria, ())

    def patients(self, key_of: KeyOf) -> tuple[int, ...] | None:
        """The patients of whom alone a match can be; None when the criteria leave that open."""
        return plan(Query(self.type_, self.criteria), (), key_of).owners

    @property
    def codes(self) -> Mapping[int, frozenset[str]]:
        """Of parameters that ask for plain codes, by number: a match has one of these in each."""
        return {
            one.parameter.number: frozenset(asked.code for asked in one.operands)
            for one in self.criteria
            if not one.modifier
            and one.operands
            and all(isinstance(asked, Token) and asked.code for asked in one.operands)
        }
