"""A change of a resource that a page has read, as one entry of a transaction.

Of a copy from which something was left out, because its reader may not know of it, only what the page has changed is sent: a
patch keeps all that was not shown (docs/rights.md). Any other copy is sent whole.
"""

import base64
from typing import Any, Final

from liaison.fhir.model import dump
from liaison.fhir.model.subset import subsetted
from liaison.fhir.store.contract import Tree

_KEPT: Final = frozenset({"resourceType", "id", "meta"})


def change(before: Tree, after: Tree) -> Tree:
    """The entry that makes `after` of the version that was read, unless somebody was faster (412)."""
    request = {
        "url": f"{before['resourceType']}/{before['id']}",
        "ifMatch": f'W/"{before["meta"]["versionId"]}"',
    }
    if not subsetted(before):
        return {"resource": after, "request": {"method": "PUT", **request}}
    patch = base64.b64encode(dump(differing(before, after))).decode()
    sent = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": patch}
    return {"resource": sent, "request": {"method": "PATCH", **request}}


def differing(before: Tree, after: Tree) -> list[Tree]:
    """The JSON Patch (RFC 6902) of the elements that differ, each as a whole; none of `meta`."""
    found: list[dict[str, Any]] = []
    for name in (before | after).keys() - _KEPT:
        path = f"/{name}"
        if name not in after:
            found.append({"op": "remove", "path": path})
        elif name not in before:
            found.append({"op": "add", "path": path, "value": after[name]})
        elif before[name] != after[name]:
            found.append({"op": "replace", "path": path, "value": after[name]})
    return sorted(found, key=lambda one: str(one["path"]))
