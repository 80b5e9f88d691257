"""The check of a library: every problem, each with its file and line.

What R4 asks is left to the validation that is passed in (liaison.fhir.model.validate in the command); what protocols ask
beyond it is here: owners, versions, review dates, sources, and that all that is named exists.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import date
from typing import Any, Final

import orjson

from liaison.fhir.errors import FhirError
from liaison.fhir.model import read
from liaison.protocols.dating import RELATIONS, TIMINGS
from liaison.protocols.expressions import compiled
from liaison.protocols.library.check_names import names
from liaison.protocols.library.check_rules import rules
from liaison.protocols.library.check_times import times
from liaison.protocols.library.known import known
from liaison.protocols.library.library import Library
from liaison.protocols.library.source import Problem, Source, Tree
from liaison.protocols.measures import populations
from liaison.protocols.signals import is_rules

Validate = Callable[[Tree, str | None], None]

NOTHING_BESIDE: Final = Library(())
_ALWAYS: Final = ("url", "version", "title", "status", "date", "publisher")
_REVIEWED: Final = ("approvalDate", "lastReviewDate")
_WITH_REVIEW: Final = frozenset({"PlanDefinition", "ActivityDefinition", "Questionnaire", "Measure"})
_WITH_SOURCES: Final = frozenset({"PlanDefinition", "Measure"})
_TIMED: Final = frozenset({"PlanDefinition", "ActivityDefinition"})
_SUPPORTED_ITEMS: Final = frozenset(
    {"group", "choice", "boolean", "integer", "decimal", "date", "dateTime", "text", "string", "display"}
)


def check(
    library: Library,
    validate: Validate | None = None,
    *,
    beside: Library = NOTHING_BESIDE,
    roles: Collection[str] = (),
) -> list[Problem]:
    """Every problem of the library, by file and line. Empty: it can be published. It may name what is in `beside`, too. `roles`: those
    that somebody can have here; any, where none are given."""
    around = library.beside(beside)
    problems = [problem for source in library for problem in _of(source, around, validate)]
    problems += [problem for source in library if _applied(source) for problem in names(source, around, roles)]
    seen: dict[str, Source] = {}
    for source in library:
        if source.canonical in seen:
            problems.append(source.problem("", f"{source.canonical} is also in {seen[source.canonical].file.name}"))
        seen[source.canonical] = source
    return sorted(set(problems))


def _applied(source: Source) -> bool:
    return source.tree["resourceType"] in _TIMED


def _of(source: Source, library: Library, validate: Validate | None) -> Iterator[Problem]:
    type_ = source.tree["resourceType"]
    if validate is not None:
        try:
            validate(read(orjson.dumps(source.tree)), type_)  # what would be written: decimals as the engine reads them
        except FhirError as error:
            for issue in error.issues:
                yield source.problem(issue.expression, f"R4: {issue.diagnostics}")
    for name in _ALWAYS + (_REVIEWED if type_ in _WITH_REVIEW else ()):
        if not source.tree.get(name):
            yield source.problem(type_, f"{name} is missing")
    if type_ in _WITH_SOURCES and not any(
        artifact.get("type") == "citation" for artifact in source.tree.get("relatedArtifact", [])
    ):
        yield source.problem(f"{type_}.relatedArtifact", "a protocol names its sources (relatedArtifact, citation)")
    yield from _expressions(source, source.tree, type_)
    if type_ in _TIMED:
        yield from times(source)
    if type_ == "PlanDefinition" and is_rules(source.tree):
        yield from rules(source, library)
    elif type_ == "PlanDefinition":
        yield from _plan(source, library)
    elif type_ == "Questionnaire":
        yield from _questionnaire(source, library)
    elif type_ == "Measure":
        try:
            populations(source.tree, date.min)
        except ValueError as error:
            yield source.problem("Measure.group", str(error))
    elif type_ == "ActivityDefinition" and not source.tree.get("participant"):
        yield source.problem("ActivityDefinition.participant", "nobody can do this: participant is missing")


def _expressions(source: Source, node: Any, path: str) -> Iterator[Problem]:
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _expressions(source, item, f"{path}[{number}]")
    elif isinstance(node, dict):
        if node.get("language") == "text/fhirpath" and isinstance(node.get("expression"), str):
            try:
                compiled(node["expression"])
            except ValueError as error:
                yield source.problem(f"{path}.expression", f"FHIRPath: {error}")
        for name, child in node.items():
            yield from _expressions(source, child, f"{path}.{name}")


def _actions(actions: list[Tree], path: str) -> Iterator[tuple[str, Tree]]:
    for number, action in enumerate(actions):
        here = f"{path}.action[{number}]"
        yield here, action
        yield from _actions(action.get("action", []), here)


def _plan(source: Source, library: Library) -> Iterator[Problem]:
    actions = list(_actions(source.tree.get("action", []), "PlanDefinition"))
    ids = [action.get("id", "") for _, action in actions]
    goals = {goal.get("id") for goal in source.tree.get("goal", [])}
    labels = {artifact.get("label") for artifact in source.tree.get("relatedArtifact", [])}
    for place, goal in enumerate(source.tree.get("goal", [])):
        for number, target in enumerate(goal.get("target", [])):
            if "measure" not in target and any(name.startswith("detail") for name in target):
                said = "a target with a detail names its measure: its Goal could not be written (gol-1)"
                yield source.problem(f"PlanDefinition.goal[{place}].target[{number}]", said)
    for path, action in actions:
        name = action.get("id", "")
        if not name or ids.count(name) > 1:
            yield source.problem(path, "an action needs an id of its own" if not name else f"id '{name}' is used twice")
        for number, goal in enumerate(action.get("goalId", [])):
            if goal not in goals:
                yield source.problem(f"{path}.goalId[{number}]", f"no goal '{goal}'")
        for number, related in enumerate(action.get("relatedAction", [])):
            if related.get("actionId") not in ids:
                yield source.problem(f"{path}.relatedAction[{number}]", f"no action '{related.get('actionId')}'")
            if related.get("relationship") not in RELATIONS:
                said = f"relationship is one of {', '.join(sorted(RELATIONS))}"
                yield source.problem(f"{path}.relatedAction[{number}]", said)
        for number, artifact in enumerate(action.get("documentation", [])):
            if artifact.get("label") not in labels:
                yield source.problem(f"{path}.documentation[{number}]", f"no source labelled '{artifact.get('label')}'")
        if not action.get("action"):
            yield from _leaf(source, library, path, action)


def _leaf(source: Source, library: Library, path: str, action: Tree) -> Iterator[Problem]:
    canonical = action.get("definitionCanonical", "")
    found = library.find(canonical)
    if found is None:
        yield source.problem(f"{path}.definitionCanonical", f"not in the library: '{canonical}'")
    elif found.tree["resourceType"] == "PlanDefinition":
        if cycle := _cycle(found, library, (source.canonical,)):
            yield source.problem(f"{path}.definitionCanonical", f"a cycle: {cycle}")
        return
    definition = found.tree if found is not None else {}
    if not any(name in tree for tree in (action, definition) for name in (*TIMINGS, "relatedAction")):
        yield source.problem(path, f"a step needs a date: relatedAction, or one of {', '.join(TIMINGS)}")
    if not action.get("documentation"):
        yield source.problem(path, "a step names its source (documentation)")
    for number, concept in enumerate(action.get("code", [])):
        for index, coding in enumerate(concept.get("coding", [])):
            if not known(library, coding):
                yield source.problem(f"{path}.code[{number}].coding[{index}]", f"no code '{coding.get('code')}'")


def _cycle(plan: Source, library: Library, trail: tuple[str, ...]) -> str:
    """The definitions that stand in each other, '' for none."""
    if plan.canonical in trail:
        return " → ".join((*trail, plan.canonical))
    for _, action in _actions(plan.tree.get("action", []), ""):
        inner = library.find(str(action.get("definitionCanonical", "")))
        if inner is not None and inner.tree["resourceType"] == "PlanDefinition":
            return _cycle(inner, library, (*trail, plan.canonical))
    return ""


def _items(items: list[Tree], path: str) -> Iterator[tuple[str, Tree]]:
    for number, item in enumerate(items):
        here = f"{path}.item[{number}]"
        yield here, item
        yield from _items(item.get("item", []), here)


def _questionnaire(source: Source, library: Library) -> Iterator[Problem]:
    items = list(_items(source.tree.get("item", []), "Questionnaire"))
    links = [item.get("linkId") for _, item in items]
    for path, item in items:
        if links.count(item.get("linkId")) > 1:
            yield source.problem(f"{path}.linkId", f"linkId '{item.get('linkId')}' is used twice")
        if item.get("type") not in _SUPPORTED_ITEMS:
            yield source.problem(f"{path}.type", f"items of type '{item.get('type')}' cannot be shown")
        if item.get("type") == "choice" and not item.get("answerOption"):
            yield source.problem(path, "a choice needs its answerOption")
        for number, condition in enumerate(item.get("enableWhen", [])):
            if condition.get("question") not in links:
                yield source.problem(f"{path}.enableWhen[{number}]", f"no item '{condition.get('question')}'")
        for number, option in enumerate(item.get("answerOption", [])):
            coding = option.get("valueCoding")
            if coding is not None and not known(library, coding):
                yield source.problem(f"{path}.answerOption[{number}]", f"no code '{coding.get('code')}'")
