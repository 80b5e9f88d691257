"""Chains into contained resources: "a chained condition will be evaluated inside contained resources" (R4
search.html#contained).

A contained resource has no life of its own: it is never found, counted or included by itself, and whoever sees what
contains it sees it. So what a chain asks of it is asked of the row that contains it. Under each parameter that refers to
it, that row keeps its type and the tokens of its own parameters. What these cannot decide is decided on the content of
the rows that keep its type.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from liaison.fhir import model
from liaison.fhir.definitions import FIRST_ADDED, RESOURCE_TYPES
from liaison.fhir.model.values import Reference
from liaison.fhir.search import expression, words
from liaison.fhir.search.chain import Chained, Way
from liaison.fhir.search.conditions import Condition, Tokens
from liaison.fhir.search.criteria import Criterion, Facts
from liaison.fhir.search.decide import holds, values_in
from liaison.fhir.search.expression import Expression, leaves
from liaison.fhir.search.plan import Alternatives
from liaison.fhir.store.contract import Key, Tree

_ITSELF: Final = "#"
"""How a contained resource refers to the one that contains it."""


def resources(tree: Tree) -> dict[str, Tree]:
    """What the references within a resource lead to, by what stands behind the `#`."""
    found = {
        one["id"]: one
        for one in tree.get("contained") or ()
        if type(one) is dict and type(one.get("id")) is str and one.get("resourceType") in RESOURCE_TYPES
    }
    return {**found, _ITSELF: tree}


# ---- tokens --------------------------------------------------------------------------------------------------------


def of_type(type_: str) -> bytes:
    """What a row carries that refers to something of this type which it contains."""
    return b"#" + type_.encode()


def _saying(type_: str, number: int, value: bytes) -> bytes:
    """And what it carries when that says this, under the parameter of this number."""
    return b"%b/%d=%b" % (of_type(type_), number, value)


def carried(type_: str, tokens: Iterable[tuple[int, bytes]]) -> Iterator[bytes]:
    """The tokens of one contained resource, from its own. Of parameters that were added later there are none: what is
    stored is not gone over again for them."""
    yield of_type(type_)
    for number, value in tokens:
        if number < FIRST_ADDED:
            yield _saying(type_, number, value)


def exactly(way: Way, condition: Condition | None) -> tuple[bytes, ...] | None:
    """The tokens of which a row carries one if, and only if, it contains what a way asks for; None when tokens cannot
    say it. `condition` is what the way asks of a row of its own."""
    asked = way.asked.parameter.number
    if isinstance(condition, Tokens) and not condition.negated and condition.param == asked < FIRST_ADDED:
        return tuple(_saying(way.type_, asked, value) for value in condition.values)
    return None


# ---- content -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reached(Chained):
    """A link, with the resources that may be seen of those that match at its far end."""

    keys: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Inside:
    """What is asked of contained resources: `named` says which resource of ours a reference leads to, `bounds` what the
    scopes ask of a type beside the query."""

    named: Callable[[Reference], Key | None]
    bounds: Callable[[str], Alternatives]

    def leads(self, link: Chained, tree: Tree, root: Tree) -> bool:
        """Whether a link leads from a resource, which stands in `root` or is it, to what it asks for: contained too, or
        among the keys of a Reached."""
        return any(
            self._meets(link, value, root) for value in _values(tree, link.parameter.number) if type(value) is Reference
        )

    def _meets(self, link: Chained, value: Reference, root: Tree) -> bool:
        if not value.contained:
            return isinstance(link, Reached) and self.named(value) in link.keys
        target = resources(root).get(value.contained)
        return target is not None and any(
            way.type_ == target["resourceType"] and self._holds(way.asked, target, root) and self._allowed(target, root)
            for way in link.ways
        )

    def _holds(self, asked: Criterion, tree: Tree, root: Tree) -> bool:
        if isinstance(asked, Expression):
            return expression.holds(asked, lambda part: self._holds(part, tree, root))
        if isinstance(asked, Chained):
            return not asked.reverse and self.leads(asked, tree, root)  # nothing outside refers to what is contained
        numbers = frozenset(one.parameter.number for one in leaves((asked,)))
        values = values_in(tree["resourceType"], tree, numbers, tuple(words.TEXTS.keys() & numbers))
        return holds(asked, Facts(tree["resourceType"], "", None, values))

    def _allowed(self, tree: Tree, root: Tree) -> bool:
        bounds = self.bounds(tree["resourceType"])
        return not bounds or any(all(self._holds(one, tree, root) for one in group) for group in bounds)


def _values(tree: Tree, number: int) -> Iterable[Any]:
    return model.extract(tree["resourceType"], tree, {number}).get(number, ())
