"""What the entries of a stored Bundle say of each other: it is kept as it came, and asked of nobody else.

https://hl7.org/fhir/R4/bundle.html#references: a reference is to the entry of that fullUrl, a relative one below the root of the
fullUrl of its own entry. All other references of an entry are those of any resource.
"""

from collections.abc import Callable, Sequence
from typing import Any

from liaison.fhir.interactions.references import root_of, unversioned
from liaison.fhir.model import referring


def outward(
    tree: dict[str, Any], every: Sequence[dict[str, Any]], is_here: Callable[[str], bool]
) -> Sequence[dict[str, Any]]:
    """Of `every` Reference in the resource, those that lead out of it. `is_here`: whether a text may name a resource of this
    server, for which a copy in a Bundle does not stand."""
    if tree.get("resourceType") != "Bundle":
        return every
    inner = _inner(tree, is_here)
    return [one for one in every if id(one) not in inner]


def _inner(tree: dict[str, Any], is_here: Callable[[str], bool]) -> set[int]:
    found: set[int] = set()
    entries = [one for one in tree.get("entry") or () if isinstance(one, dict)]
    urls = {one["fullUrl"] for one in entries if isinstance(one.get("fullUrl"), str)}
    for entry in entries:
        resource = entry.get("resource")
        if isinstance(resource, dict):
            root = root_of(str(entry.get("fullUrl", "")))
            for node in referring(resource):
                plain, _ = unversioned(node["reference"].partition("#")[0])
                if (plain in urls or (root and root + plain in urls)) and not is_here(plain):
                    found.add(id(node))
            if resource.get("resourceType") == "Bundle":
                found |= _inner(resource, is_here)
    return found
