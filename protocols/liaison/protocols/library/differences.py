"""What a folder changes of what is in force, in words and by file and line: steps, intervals, owners, thresholds."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.library import words
from liaison.protocols.library.library import Library
from liaison.protocols.library.publication import first_difference
from liaison.protocols.library.source import Problem, Source, Tree

_OF_ITSELF: Final = frozenset(
    {"version", "date", "lastReviewDate", "approvalDate", "effectivePeriod", "contact", "author"}
)
"""What every version changes."""
Told = Mapping[str, Callable[[Tree], str]]
_GOAL: Final[Told] = {
    "objectif": lambda goal: words.named(goal.get("description", {})),
    "cible": words.targets,
    "début": lambda goal: words.named(goal.get("start", {})),
    "priorité": lambda goal: words.named(goal.get("priority", {})),
}


@dataclass(frozen=True, slots=True)
class _Placed:
    """An action, where it is written, and the group that it stands in."""

    tree: Tree
    path: str
    group: str


def differences(force: Library, folder: Library) -> list[Problem]:
    """One line a change. A resource that is in force and not in the folder is left as it is, and not told of."""
    found: list[Problem] = []
    for source in folder:
        before = force.find(str(source.tree.get("url", "")))
        if before is None:
            found.append(source.problem("", f"nouveau : {source.tree.get('title')} ({source.tree['resourceType']})"))
        elif source.tree["resourceType"] == "PlanDefinition":
            found += _plan(before.tree, source, force, folder.beside(force))
        elif where := first_difference(_kept(before.tree), _kept(source.tree), source.tree["resourceType"]):
            found.append(source.problem(where, _changed(where, before.tree, source.tree)))
    return sorted(set(found))


def _plan(before: Tree, source: Source, force: Library, after: Library) -> Iterator[Problem]:
    old, new = _actions(before), _actions(source.tree)
    for name, gone in old.items():
        if name not in new:
            yield source.problem("PlanDefinition.action", f"étape retirée : {_named(gone.tree)}")
    for name, added in new.items():
        if name not in old:
            told = ", ".join(part for part in (words.interval(added.tree), _owners(added.tree, after)) if part)
            yield source.problem(added.path, f"étape ajoutée : {_named(added.tree)}{f' ({told})' if told else ''}")
    common = [name for name in old if name in new]
    for name in common:
        one, other = old[name], new[name]
        if one.group != other.group:
            yield source.problem(
                other.path, f"étape déplacée : {_named(other.tree)}, de « {one.group} » à « {other.group} »"
            )
        aspects: Told = {
            "titre": lambda tree: str(tree.get("title", "")),
            "intervalle": words.interval,
            "condition": words.conditions,
            "motif": lambda tree: ", ".join(words.named(one) for one in tree.get("reason", ())),
            "objectifs": lambda tree: ", ".join(tree.get("goalId", ())),
            "choix": lambda tree: str(tree.get("selectionBehavior", "")),
        }
        yield from _aspects(source, other.path, _named(other.tree), aspects, one.tree, other.tree)
        done_by, will_do = _owners(one.tree, force), _owners(other.tree, after)
        if done_by != will_do:
            yield source.problem(other.path, f"{_named(other.tree)} : qui, « {done_by} » → « {will_do} »")
    if (kept := [name for name in new if name in old]) != common and {old[n].group for n in common} == {
        new[n].group for n in common
    }:
        yield source.problem("PlanDefinition.action", f"ordre des étapes : {', '.join(kept)}")
    yield from _goals(before, source)
    yield from _variables(before, source)


def _goals(before: Tree, source: Source) -> Iterator[Problem]:
    old = {str(goal.get("id", "")): goal for goal in before.get("goal", ())}
    new = {str(goal.get("id", "")): goal for goal in source.tree.get("goal", ())}
    for number, (name, goal) in enumerate(new.items()):
        path = f"PlanDefinition.goal[{number}]"
        if name not in old:
            yield source.problem(path, f"objectif ajouté : {name}")
        else:
            yield from _aspects(source, path, name, _GOAL, old[name], goal)
    for name in old:
        if name not in new:
            yield source.problem("PlanDefinition.goal", f"objectif retiré : {name}")


def _variables(before: Tree, source: Source) -> Iterator[Problem]:
    """The thresholds that are computed with."""
    old = {named["name"]: named["expression"] for _, named in _named_expressions(before)}
    for path, named in _named_expressions(source.tree):
        was = old.pop(named["name"], None)
        if was != named["expression"]:
            said = f"seuil ou calcul « {named['name']} » : « {was or 'aucun'} » → « {named['expression']} »"
            yield source.problem(path, said)
    for name in old:
        yield source.problem("PlanDefinition.extension", f"calcul retiré : {name}")


def _named_expressions(plan: Tree) -> list[tuple[str, Tree]]:
    return [
        (f"PlanDefinition.extension[{number}]", extension["valueExpression"])
        for number, extension in enumerate(plan.get("extension", ()))
        if extension.get("url") == codes.VARIABLE
    ]


def _aspects(source: Source, path: str, name: str, aspects: Told, old: Tree, new: Tree) -> Iterator[Problem]:
    for aspect, said in aspects.items():
        was, is_ = said(old), said(new)
        if was != is_:
            yield source.problem(path, f"{name} : {aspect}, « {was} » → « {is_} »")


def _actions(plan: Tree) -> dict[str, _Placed]:
    found: dict[str, _Placed] = {}

    def walk(actions: list[Tree], path: str, group: str) -> None:
        for number, action in enumerate(actions):
            here, name = f"{path}.action[{number}]", str(action.get("id", ""))
            found[name] = _Placed(action, here, group)
            walk(action.get("action", []), here, name)

    walk(plan.get("action", []), "PlanDefinition", "")
    return found


def _named(action: Tree) -> str:
    return f"{action.get('title') or action.get('id')} [{action.get('id')}]"


def _owners(action: Tree, library: Library) -> str:
    found = library.find(str(action.get("definitionCanonical", "")))
    return words.people(found.tree) if found else ""


def _kept(tree: Tree) -> Tree:
    return {name: value for name, value in tree.items() if name not in _OF_ITSELF}


def _changed(where: str, before: Tree, after: Tree) -> str:
    return f"{after.get('title')} : {where.partition('.')[2]}, « {_at(before, where)} » → « {_at(after, where)} »"


def _at(tree: Any, where: str) -> str:
    node: Any = tree
    for part in where.partition(".")[2].replace("[", ".[").split("."):
        try:
            node = node[int(part[1:-1])] if part.startswith("[") else node[part]
        except (KeyError, IndexError):
            return ""
    return str(node)[:80]
