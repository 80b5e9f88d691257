"""What a resource lacks of the profiles that it claims (`meta.profile`), for those known here. R4 itself is looked at first.

https://hl7.org/fhir/R4/resource.html#profile-tags: a claim is an assertion, which the server may check. One that is not known
here is kept, and nothing is said of it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from liaison.fhir.definitions.profiles import PROFILES, Constraint, Profile
from liaison.fhir.errors import Issue

Tree = Mapping[str, Any]


def claimed(tree: Tree) -> list[Profile]:
    """Those that are known here and of its type, whatever version is claimed."""
    named = [str(one).partition("|")[0] for one in (tree.get("meta") or {}).get("profile") or ()]
    return [
        PROFILES[url] for url in dict.fromkeys(named) if url in PROFILES and PROFILES[url].type_ == tree["resourceType"]
    ]


def problems(tree: Tree, asked: Iterable[Profile]) -> list[Issue]:
    """Each by its FHIRPath. The tree is one that R4 allows."""
    return [
        Issue("structure", f"{text} in the profile {profile.url}.", path)
        for profile in asked
        for constraint in profile.constraints
        for path, text in _broken(tree, constraint)
    ]


def _broken(tree: Tree, constraint: Constraint) -> Iterator[tuple[str, str]]:
    for place, parent in _parents(tree, str(tree["resourceType"]), constraint.path[:-1]):
        name = constraint.path[-1]
        value = parent.get(name)
        values = value if isinstance(value, list) else [] if value is None else [value]
        path = f"{place}.{name}"
        # R4 writes what has no value, and says why, beside its name.
        if len(values) < constraint.minimum and f"_{name}" not in parent:
            yield path, "This element is required"
        if constraint.maximum and len(values) > constraint.maximum:
            yield path, f"At most {constraint.maximum} of this element is allowed"
        for one in values if constraint.targets else ():
            if _target(one) not in ("", *constraint.targets):
                yield path, f"This refers to {' or '.join(constraint.targets)}"


def _parents(tree: Tree, place: str, steps: tuple[str, ...]) -> Iterator[tuple[str, Tree]]:
    if not steps:
        yield place, tree
        return
    value = tree.get(steps[0])
    if isinstance(value, list):
        for number, one in enumerate(value):
            yield from _parents(one or {}, f"{place}.{steps[0]}[{number}]", steps[1:])
    elif value is not None:
        yield from _parents(value, f"{place}.{steps[0]}", steps[1:])


def _target(reference: Tree) -> str:
    """The type that a reference says; '' where it does not."""
    literal = str(reference.get("reference") or "")
    if reference.get("type"):
        return str(reference["type"])
    parts = literal.partition("/_history/")[0].split("/")
    return parts[-2] if len(parts) > 1 and not literal.startswith(("urn:", "#")) else ""
