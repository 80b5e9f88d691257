"""JSON Patch: RFC 6902, over JSON Pointers (RFC 6901).

Our own, because the libraries repeat values of the document in their errors, take `true` for 1, and let a few lines of
`copy` fill the memory (docs/decisions/dependencies.md).
"""

import copy
from typing import Any, Final

from liaison.fhir.errors import BadRequest
from liaison.fhir.model.number import Number
from liaison.fhir.model.patch.change import (
    MOST_COPIED,
    MOST_OPERATIONS,
    Budget,
    Operation,
    Patch,
    marks,
    prune,
    require_kept,
)
from liaison.fhir.model.reading import read_json
from liaison.fhir.model.tree import Tree

_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "add": ("value",),
    "remove": (),
    "replace": ("value",),
    "move": ("from",),
    "copy": ("from",),
    "test": ("value",),
}

Pointer = tuple[str, ...]


class _Step:
    """One operation, its pointers parsed. `at` names it in errors by its path, `from_` by where it takes from."""

    def __init__(self, number: int, sent: Any) -> None:
        if not isinstance(sent, dict):
            raise BadRequest(f"Operation {number} is not an object.")
        kind, path = sent.get("op"), sent.get("path")
        if not isinstance(kind, str) or kind not in _NEEDS:
            raise BadRequest(f"Operation {number}: 'op' is one of {', '.join(_NEEDS)}.")
        if not isinstance(path, str):
            raise BadRequest(f"Operation {number} ({kind}) has no 'path'.")
        self.at = Operation(number, kind, path)
        self.kind = kind
        self.path = _pointer(self.at, path)
        for name in _NEEDS[kind]:
            if name not in sent:
                raise self.at.malformed(f"'{name}' is missing.")
        self.value = sent.get("value")
        self.source: Pointer = ()
        self.from_ = self.at
        if "from" in _NEEDS[kind]:
            if not isinstance(sent["from"], str):
                raise self.at.malformed("'from' is not text.")
            self.from_ = Operation(number, f"{kind} from", sent["from"])
            self.source = _pointer(self.from_, sent["from"])


def json_patch(body: bytes) -> Patch:
    """The patch in a request body. BadRequest names what is wrong with it, before any resource is looked at."""
    sent = read_json(body)
    if not isinstance(sent, list):
        raise BadRequest("A JSON Patch is an array of operations (RFC 6902).")
    if len(sent) > MOST_OPERATIONS:
        raise BadRequest(f"A patch has at most {MOST_OPERATIONS} operations; this one has {len(sent)}.")
    steps = [_Step(number, one) for number, one in enumerate(sent, 1)]

    def apply(tree: Tree) -> Tree:
        before, budget, copies = marks(tree), Budget(), Budget(MOST_COPIED)
        document: Any = tree
        for step in steps:
            document = _apply(document, step, budget, copies)
        found = require_kept(before, document)
        prune(found)
        return found

    return apply


def _pointer(at: Operation, text: str) -> Pointer:
    """RFC 6901 §3: '' is the whole document, else each token begins with '/'."""
    if not text:
        return ()
    if not text.startswith("/"):
        raise at.malformed("a pointer is empty or begins with '/' (RFC 6901).")
    tokens = text[1:].split("/")
    if any("~" in token.replace("~0", "").replace("~1", "") for token in tokens):
        raise at.malformed("'~' is written ~0, and '/' inside a name ~1 (RFC 6901).")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in tokens)


def _apply(document: Any, step: _Step, budget: Budget, copies: Budget) -> Any:
    match step.kind:
        case "add":
            return _add(document, step, step.path, copy.deepcopy(step.value), budget)
        case "remove":
            return _remove(document, step.at, step.path)[0]
        case "replace":
            return _replace(document, step, copy.deepcopy(step.value), budget)
        case "move":
            if step.path[: len(step.source)] == step.source and step.path != step.source:
                raise step.at.misfit("nothing moves into itself.")
            document, value = _remove(document, step.from_, step.source)
            return _add(document, step, step.path, value, budget)
        case "copy":
            value = _found(document, step.from_, step.source)
            copies.take(value, len(step.path) + 1)
            return _add(document, step, step.path, copy.deepcopy(value), None)
        case _:
            if not equal(_found(document, step.at, step.path), step.value):
                raise step.at.misfit("the test does not hold.", "conflict")
            return document


def _index(at: Operation, name: str, most: int) -> int:
    """An array index: digits without a leading zero (RFC 6901 §4), at most `most`."""
    if not (name.isascii() and name.isdigit()) or (name[0] == "0" and name != "0"):
        raise at.misfit("an item of an array is named by its number.")
    if len(name) > 9 or int(name) > most:
        raise at.misfit("the array has no such item.")
    return int(name)


def _child(at: Operation, here: Any, token: str) -> Any:
    if isinstance(here, dict):
        if token not in here:
            raise at.misfit("there is nothing at this path.", "not-found")
        return here[token]
    if isinstance(here, list):
        return here[_index(at, token, len(here) - 1)]
    raise at.misfit("there is nothing at this path.", "not-found")


def _found(document: Any, at: Operation, pointer: Pointer) -> Any:
    here = document
    for token in pointer:
        here = _child(at, here, token)
    return here


def _add(document: Any, step: _Step, pointer: Pointer, value: Any, budget: Budget | None) -> Any:
    if budget is not None:
        budget.take(value, len(pointer) + 1)
    if not pointer:
        return value
    holder, last = _found(document, step.at, pointer[:-1]), pointer[-1]
    if isinstance(holder, dict):
        holder[last] = value
    elif isinstance(holder, list):
        holder.insert(len(holder) if last == "-" else _index(step.at, last, len(holder)), value)
    else:
        raise step.at.misfit("what holds it is neither an object nor an array.")
    return document


def _remove(document: Any, at: Operation, pointer: Pointer) -> tuple[Any, Any]:
    """The document without it, and what was taken out."""
    if not pointer:
        raise at.misfit("the whole resource is not removed by a patch: delete it.")
    holder, last = _found(document, at, pointer[:-1]), pointer[-1]
    value = _child(at, holder, last)
    del holder[last if isinstance(holder, dict) else int(last)]
    return document, value


def _replace(document: Any, step: _Step, value: Any, budget: Budget) -> Any:
    budget.take(value, len(step.path) + 1)
    if not step.path:
        return value
    holder, last = _found(document, step.at, step.path[:-1]), step.path[-1]
    _child(step.at, holder, last)
    holder[last if isinstance(holder, dict) else int(last)] = value
    return document


def equal(one: Any, other: Any) -> bool:
    """RFC 6902 §4.6: numbers by value, objects whatever the order of their members; true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | Number) and isinstance(other, int | Number):
        return one == other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return type(one) is type(other) and bool(one == other)
