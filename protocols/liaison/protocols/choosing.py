"""Which actions of a PlanDefinition apply, and which of a group are chosen.

R4 §PlanDefinition: conditions of kind applicability, start and stop; selectionBehavior, requiredBehavior, precheckBehavior,
cardinalityBehavior (https://hl7.org/fhir/R4/valueset-action-selection-behavior.html and its neighbours); a definitionCanonical
that is a PlanDefinition is expanded in its place. A choice that is not made is what the author checked (precheckBehavior); where
nothing is checked, all that apply, or the only one where one is asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.expressions import FHIRPATH, compiled, first, holds
from liaison.protocols.library.library import Library
from liaison.protocols.proposal import CannotApply, Node, Skipped, Tree

_BEHAVIORS: Final = ("any", "all", "all-or-none", "exactly-one", "at-most-one", "one-or-more")


@dataclass(slots=True)
class Choosing:
    """One application. `chosen` are the ids of actions, as often as each is wanted; `declined` those of which the absence is
    documented (must-unless-documented)."""

    library: Library
    chosen: Sequence[str] = ()
    declined: Sequence[str] = ()
    skipped: list[Skipped] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    goals: list[Tree] = field(default_factory=list)
    undecided: frozenset[str] = frozenset()
    known: set[str] = field(default_factory=set)

    def choose(self, plan: Tree, names: Mapping[str, Any]) -> tuple[Node, ...]:
        """Raises CannotApply."""
        nodes = self._expand(plan.get("action", ()), "", names, (_canonical(plan),))
        for wanted in (*self.chosen, *self.declined):
            if wanted not in self.known:
                raise CannotApply(wanted, "id", "there is no such action that applies")
        return nodes

    def _expand(
        self, actions: Sequence[Tree], prefix: str, names: Mapping[str, Any], trail: tuple[str, ...]
    ) -> tuple[Node, ...]:
        found = []
        for action in actions:
            named = _prefixed(action, prefix)
            if (refused := _refused(named, names)) is not None:
                self.skipped.append(Skipped(named["id"], str(named.get("title", "")), refused))
                continue
            self.known.add(named["id"])
            node = self._node(named, prefix, names, trail)
            found.append(replace(node, children=self._select(named, node.children)))
        return tuple(found)

    def _node(self, action: Tree, prefix: str, names: Mapping[str, Any], trail: tuple[str, ...]) -> Node:
        canonical = action.get("definitionCanonical")
        if action.get("action"):
            return Node(action, self._expand(action["action"], prefix, names, trail), None)
        if canonical is None:
            return Node(action, (), None)
        source = self.library.find(canonical)
        if source is None:
            raise CannotApply(action["id"], "definitionCanonical", f"not in the library: {canonical}")
        definition = source.tree
        if definition["resourceType"] == "ActivityDefinition":
            return Node(action, (), definition)
        if definition["resourceType"] != "PlanDefinition":
            text = f"a {definition['resourceType']} cannot be applied"
            raise CannotApply(action["id"], "definitionCanonical", text)
        if (here := _canonical(definition)) in trail:
            text = f"a cycle: {' → '.join((*trail, here))}"
            raise CannotApply(action["id"], "definitionCanonical", text)
        inner = {**names, **computed(self.library, definition, names, self.undecided), "resource": definition}
        self.goals += definition.get("goal", ())
        return Node(action, self._expand(definition.get("action", ()), f"{action['id']}.", inner, (*trail, here)), None)

    def _select(self, group: Tree, children: tuple[Node, ...]) -> tuple[Node, ...]:
        if not children:
            return children
        behavior = str(group.get("selectionBehavior", "all"))
        if behavior not in _BEHAVIORS:
            raise CannotApply(group["id"], "selectionBehavior", f"'{behavior}' is none of {', '.join(_BEHAVIORS)}")
        times = {node.id: self._times(node) for node in children}
        must = {node.id for node in children if self._must(node)}
        picked = [node.id for node in children if times[node.id]]
        if not picked:
            picked = [one for one in _by_default(behavior, children) if one not in self.declined]
        if behavior == "all":
            picked = [one.id for one in children if one.id not in self.declined]
        picked += [one.id for one in children if one.id in must - set(picked)]
        self._be_lawful(group["id"], behavior, picked, [one.id for one in children])
        return tuple(replace(one, times=max(1, times[one.id]) if one.id in picked else 0) for one in children)

    def _times(self, node: Node) -> int:
        """How often it was chosen; a group with something that was chosen is chosen itself."""
        own = self.chosen.count(node.id)
        if own > 1 and node.action.get("cardinalityBehavior", "single") != "multiple":
            raise CannotApply(node.id, "cardinalityBehavior", "it may be chosen once")
        return own or int(any(self._times(child) for child in node.children))

    def _must(self, node: Node) -> bool:
        required = node.action.get("requiredBehavior", "could")
        if required == "must" and node.id in self.declined:
            raise CannotApply(node.id, "requiredBehavior", "it must be done")
        return required == "must" or (required == "must-unless-documented" and node.id not in self.declined)

    def _be_lawful(self, group: str, behavior: str, picked: Sequence[str], there: Sequence[str]) -> None:
        number = len(picked)
        if behavior == "exactly-one" and number == 0:
            self.open.append(f"action '{group}', selectionBehavior: one of {', '.join(there)} is to be chosen")
        elif (behavior in ("exactly-one", "at-most-one") and number > 1) or (
            behavior == "all-or-none" and 0 < number < len(there)
        ):
            raise CannotApply(group, "selectionBehavior", f"{behavior}, and {number} of {len(there)} are chosen")


def computed(library: Library, definition: Tree, names: Mapping[str, Any], undecided: frozenset[str]) -> dict[str, Any]:
    """The named queries of the Libraries of a definition, then its own variables, each knowing those before it. What is
    `undecided` counts as unknown. Raises CannotApply for a Library that is not there."""
    known, found = dict(names), {}
    queries = []
    for canonical in definition.get("library", ()):
        source = library.find(canonical)
        if source is None:
            raise CannotApply("", "library", f"not in the library: {canonical}")
        queries += variables(source.tree)
    for expression in (*queries, *variables(definition)):
        name = expression["name"]
        value = first(expression["expression"], known.get("patient", {}), known) if name not in undecided else None
        found[name] = value
        known[name] = [] if value is None else value
    return {name: [] if value is None else value for name, value in found.items()}


def choices(nodes: Sequence[Node]) -> list[Node]:
    """The groups of which something may be chosen, with what may be."""
    found: list[Node] = []
    for node in nodes:
        if node.children and node.action.get("selectionBehavior", "all") != "all":
            found.append(node)
        found += choices(node.children)
    return found


def variables(definition: Tree) -> list[Tree]:
    """The named expressions of a definition or a Library."""
    return [one["valueExpression"] for one in definition.get("extension", ()) if one.get("url") == codes.VARIABLE]


def _by_default(behavior: str, children: Sequence[Node]) -> list[str]:
    checked = [one.id for one in children if one.action.get("precheckBehavior") == "yes"]
    stated = any("precheckBehavior" in one.action for one in children)
    if behavior in ("exactly-one", "at-most-one"):
        return checked if stated else [children[0].id] if len(children) == 1 else []
    if behavior == "one-or-more" and not checked:
        return [one.id for one in children]
    return checked if stated else [one.id for one in children]


def _refused(action: Tree, names: Mapping[str, Any]) -> str | None:
    """The first condition by which the action is not for this person, or not now."""
    for number, condition in enumerate(action.get("condition", ())):
        text, kind = written(condition, action["id"], f"condition[{number}]"), condition.get("kind")
        true = holds(text, names.get("patient", {}), names)
        if (kind == "stop") is true:
            return text
    return None


def written(holder: Tree, action: str, element: str) -> str:
    """The text of the expression that an element holds. Raises CannotApply for none, one in another language, or one that is not
    FHIRPath."""
    told = holder.get("expression") or {}
    text = str(told.get("expression", ""))
    if not text or told.get("language") != FHIRPATH:
        raise CannotApply(action, f"{element}.expression", f"an expression in {FHIRPATH} is needed")
    try:
        compiled(text)
    except ValueError as error:
        raise CannotApply(action, f"{element}.expression", f"FHIRPath: {error}") from None
    return text


def _prefixed(action: Tree, prefix: str) -> Tree:
    """Ids of a nested definition are told apart by the action that it stands in."""
    if not action.get("id"):
        raise CannotApply(prefix, "id", "an action needs an id")
    if not prefix:
        return action
    named = {**action, "id": f"{prefix}{action['id']}"}
    if "relatedAction" in action:
        named["relatedAction"] = [{**one, "actionId": f"{prefix}{one['actionId']}"} for one in action["relatedAction"]]
    return named


def _canonical(definition: Tree) -> str:
    return f"{definition.get('url', '')}|{definition.get('version', '')}"
