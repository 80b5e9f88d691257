"""Whether a code that a protocol uses exists."""

from liaison.protocols import codes
from liaison.protocols.library.library import Library
from liaison.protocols.library.source import Tree


def known(library: Library, coding: Tree) -> bool:
    """A code of a system that is not ours is not looked up; one of ours must be in its CodeSystem."""
    system = library.find(str(coding.get("system", "")))
    if system is None:
        return not str(coding.get("system", "")).startswith(f"{codes.LOCAL}/CodeSystem/") or coding.get("system") in (
            codes.ROLE,
            codes.DATA_CLASS,
        )
    return any(concept.get("code") == coding.get("code") for concept in system.tree.get("concept", []))
