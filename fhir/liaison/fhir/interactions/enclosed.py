"""What the entries of a stored Bundle say of each other: it is kept as it came, and asked of nobody else.

https://hl7.org/fhir/R4/bundle.html#references: a reference is to the entry of that fullUrl, a relative one below the root of the
fullUrl of its own entry. All other references of an entry are those of any resource.
"""

from collections.abc import Callable
from typing import Any

from liaison.fhir.interactions.references import root_of, unversioned
from liaison.fhir.model import referring


def enclosed(tree: dict[str, Any], is_here: Callable[[str], bool]) -> set[int]:
    """The `id()` of each Reference that stays inside. `is_here`: whether a text may name a resource of this server, which
    a copy in a Bundle does not stand for."""
    if tree.get("resourceType") != "Bundle":
        return set()
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
            found |= enclosed(resource, is_here)
    return found
