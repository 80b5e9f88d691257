"""Publishing a folder: what is new in it, what is out already, and what may not be published, by file and line.

A published version is immutable: the same url and version with other content is refused. Pure: two libraries in, a verdict out.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final

import orjson

from liaison.protocols.library.library import Library, order
from liaison.protocols.library.source import Problem, Source, Tree

TYPES: Final = (
    "PlanDefinition",
    "ActivityDefinition",
    "Questionnaire",
    "ValueSet",
    "CodeSystem",
    "Measure",
    "Library",
)
"""What a protocol is made of."""
_OUT: Final = ("active", "retired")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`new` is to be published; `same` is out, as it stands; nothing is published while there are `problems`."""

    new: tuple[Source, ...]
    same: tuple[Source, ...]
    problems: tuple[Problem, ...]


def digest(tree: Tree) -> str:
    """The same for the same content, in whatever order it was written."""
    return hashlib.sha256(orjson.dumps(tree, option=orjson.OPT_SORT_KEYS)).hexdigest()


def judge(folder: Library, published: Library) -> Verdict:
    """What publishing the folder would do beside what is published."""
    new, same, problems = [], [], []
    for source in folder:
        type_, before = source.tree["resourceType"], _exactly(published, source)
        if type_ not in TYPES:
            problems.append(source.problem("", f"a {type_} is no part of a protocol"))
        elif source.tree.get("status") not in _OUT:
            problems.append(source.problem(f"{type_}.status", "what is published is active, or retired"))
        elif before is None:
            older = _older(source, published)
            problems += older
            new += [] if older else [source]
        elif digest(before.tree) == digest(source.tree):
            same.append(source)
        else:
            where = first_difference(before.tree, source.tree, type_)
            said = f"{source.canonical} is published with other content at {where}: give it a new version"
            problems.append(source.problem(where, said))
    return Verdict(tuple(new), tuple(same), tuple(sorted(problems)))


def first_difference(before: Any, after: Any, path: str) -> str:
    """The FHIRPath of the first element that is not the same, '' where there is none."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in (*after, *(name for name in before if name not in after)):
            if name not in before or name not in after:
                return f"{path}.{name}"
            if found := first_difference(before[name], after[name], f"{path}.{name}"):
                return found
        return ""
    if isinstance(before, list) and isinstance(after, list):
        for number, (one, other) in enumerate(zip(before, after, strict=False)):
            if found := first_difference(one, other, f"{path}[{number}]"):
                return found
        return "" if len(before) == len(after) else f"{path}[{min(len(before), len(after))}]"
    return "" if before == after else path


def _exactly(library: Library, source: Source) -> Source | None:
    return library.find(source.canonical) if source.tree.get("version") else None


def _older(source: Source, published: Library) -> list[Problem]:
    """A version lower than the one in force would change nothing for anybody."""
    force = published.find(str(source.tree.get("url", "")))
    if force is None or order(str(source.tree["version"])) > order(str(force.tree.get("version", ""))):
        return []
    said = f"version {force.tree.get('version')} is in force: a new one is higher"
    return [source.problem(f"{source.tree['resourceType']}.version", said)]
