"""A canonical that a definition names without a version: the latest at the moment it comes into force, and that one for good.

So what was published stays what it was in effect too: a later version of a step, a value set or a Library of expressions changes
nothing of a protocol that names it, but by a new version of that protocol. What a set of rules is derived from is no part of what
it does, and is named without a version: rules watch whoever follows their protocol in any.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from liaison.protocols.library.library import Library
from liaison.protocols.library.source import Source, Tree

_CANONICALS: Final = frozenset({"answerValueSet", "definitionCanonical", "library", "valueSet"})
"""The elements of what a protocol is made of that name another definition by its canonical."""


def named(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """(FHIRPath, canonical) of each definition that this one names."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from named(item, f"{path}[{number}]")
    elif isinstance(node, dict):
        for name, value in node.items():
            if name in _CANONICALS:
                several = (
                    [(f"[{place}]", one) for place, one in enumerate(value)]
                    if isinstance(value, list)
                    else [("", value)]
                )
                yield from ((f"{path}.{name}{place}", one) for place, one in several if isinstance(one, str))
            else:
                yield from named(value, f"{path}.{name}")


def open_names(source: Source, *among: Library) -> list[tuple[str, str, str]]:
    """(FHIRPath, canonical, the version that it is) of each that has none, looked for in these libraries in turn."""
    return [
        (path, canonical, version)
        for path, canonical in named(source.tree, source.tree["resourceType"])
        if "|" not in canonical and (version := _version(canonical, among))
    ]


def pinned(source: Source, *among: Library) -> Source:
    """With the version of each. One that is nowhere stays as it is: `check` says so."""
    if not open_names(source, *among):
        return source
    tree: Tree = _pinned(source.tree, among)
    return replace(source, tree=tree)


def all_pinned(folder: Library, out: Library, shipped: Library) -> Library:
    """The folder as it would be published: what it names is its own, else what it named when it was published, else the latest."""
    found = []
    for source in folder:
        before = out.find(source.canonical) if source.tree.get("version") else None
        found.append(pinned(source, folder, _named_by(before, out.beside(shipped)), out.beside(shipped)))
    return Library(tuple(found))


def _named_by(source: Source | None, known: Library) -> Library:
    if source is None:
        return Library(())
    there = (known.find(canonical) for _path, canonical in named(source.tree, "") if "|" in canonical)
    return Library(tuple(one for one in there if one is not None))


def _version(canonical: str, among: tuple[Library, ...]) -> str:
    found = next(filter(None, (library.find(canonical) for library in among)), None)
    return str(found.tree.get("version", "")) if found is not None else ""


def _pinned(node: Any, among: tuple[Library, ...], name: str = "") -> Any:
    if isinstance(node, list):
        return [_pinned(item, among, name) for item in node]
    if isinstance(node, dict):
        return {key: _pinned(value, among, key) for key, value in node.items()}
    if name in _CANONICALS and isinstance(node, str) and "|" not in node and (version := _version(node, among)):
        return f"{node}|{version}"
    return node
