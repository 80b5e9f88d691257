"""What a stored ValueSet holds (https://hl7.org/fhir/R4/valueset.html#compositions).

A value set is expanded by its `compose`; when that names what is not kept here, by the complete `expansion` it carries.
What can be expanded by neither is refused and named: it never counts as an empty set.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from liaison.fhir.definitions import required_codes
from liaison.fhir.errors import BadRequest
from liaison.fhir.terminology.codesystem import CodeSystem
from liaison.fhir.terminology.members import Codes, Members

_DEEPEST: Final = 10


class Definitions(Protocol):
    """Where definitions are kept: canonical URLs, with `|version` or without."""

    async def value_set(self, url: str) -> Mapping[str, Any] | None: ...
    async def code_system(self, url: str) -> CodeSystem | None: ...


async def expand(url: str, kept: Definitions, outer: tuple[str, ...] = ()) -> Members:
    """The members of a value set. BadRequest names what is not kept, not complete or not understood."""
    if url in outer or len(outer) >= _DEEPEST:
        raise BadRequest(f"The value set '{url[:200]}' refers to itself, or through too many others.")
    tree = await kept.value_set(url)
    if tree is None:
        return await _implicit(url, kept)
    compose = tree.get("compose")
    if compose is None:
        return _expansion(url, tree)
    try:
        return await _composed(compose, kept, (*outer, url))
    except BadRequest:
        if "expansion" not in tree:
            raise
        return _expansion(url, tree)


async def _implicit(url: str, kept: Definitions) -> Members:
    """`[system]?fhir_vs[=isa/[code]]`, and the value sets to which R4 binds its own codes."""
    system, asked, which = url.partition("?fhir_vs")
    if asked and which == "":
        return await _whole(system, kept)
    if asked and which.startswith("=isa/"):
        code = which.removeprefix("=isa/")
        return Members.of(system, (await _code_system(system, kept)).below(code))
    known = required_codes(url.partition("|")[0])
    if known is None:
        raise BadRequest(f"The value set '{url[:200]}' is not kept here.")
    return Members({one: Codes(codes) for one, codes in known.items()})


async def _code_system(url: str, kept: Definitions) -> CodeSystem:
    found = await kept.code_system(url)
    if found is None:
        raise BadRequest(f"The code system '{url[:200]}' is not kept here.")
    return found


async def _whole(url: str, kept: Definitions) -> Members:
    """Every code of a system: those listed when they are known to be all, else whatever the system names."""
    found = await kept.code_system(url)
    system = url.partition("|")[0]
    return Members.of(system, found.codes) if found is not None and found.complete else Members.whole(system)


async def _composed(compose: Mapping[str, Any], kept: Definitions, outer: tuple[str, ...]) -> Members:
    found = Members()
    for part in compose.get("include", ()):
        found = found.union(await _part(part, kept, outer))
    for part in compose.get("exclude", ()):
        found = found.without(await _part(part, kept, outer))
    if compose.get("inactive") is False:
        for system in found.systems:
            inactive = (await _code_system(system, kept)).filtered("inactive", "=", "true")
            found = found.without(Members.of(system, inactive))
    return found


async def _part(part: Mapping[str, Any], kept: Definitions, outer: tuple[str, ...]) -> Members:
    """One include or exclude: its system's codes that are in every value set it names."""
    found: Members | None = None
    if system := part.get("system"):
        url = f"{system}|{part['version']}" if part.get("version") else system
        if concepts := part.get("concept"):
            found = Members.of(system, [one["code"] for one in concepts])
        elif filters := part.get("filter"):
            known = await _code_system(url, kept)
            chosen = known.codes
            for one in filters:
                chosen &= known.filtered(one["property"], one["op"], one["value"])
            found = Members.of(system, chosen)
        else:
            found = await _whole(url, kept)
    for inner in part.get("valueSet", ()):
        members = await expand(inner, kept, outer)
        found = members if found is None else found.intersection(members)
    if found is None:
        raise BadRequest(f"A part of the value set '{outer[-1][:200]}' names neither a system nor a value set.")
    return found


def _expansion(url: str, tree: Mapping[str, Any]) -> Members:
    expansion = tree.get("expansion") or {}
    found: dict[str, set[str]] = {}
    todo, count = list(expansion.get("contains", ())), 0
    while todo:
        one = todo.pop()
        todo += one.get("contains", ())
        count += 1
        if one.get("code") and not one.get("abstract"):
            found.setdefault(one.get("system", ""), set()).add(one["code"])
    if not count or expansion.get("offset") or expansion.get("total", count) > count:
        raise BadRequest(f"The value set '{url[:200]}' holds neither a composition nor a complete expansion.")
    return Members({system: Codes(frozenset(codes)) for system, codes in found.items()})
