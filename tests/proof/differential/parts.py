"""One write each, of entries: what it asks, and what is answered when it is asked alone. By itself it is a request; with others,
entries of a Bundle.

Conditional ones by the table of R4 (http.html#ccreate, #cond-update, #cdelete): none, one or several matches among what the
caller sees; what is hidden is not there.
"""

import base64
import json
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from .facts import Tree
from .rights import Version
from .running import Run
from .withheld import without
from .writing import ENTRIES, learn, some_creation, some_entry, status_of_change, status_of_creation, status_of_deletion

_LANGUAGES = ["fr", "br", "en"]
PATCH = "application/json-patch+json"


class Part(NamedTuple):
    """`request` as in a Bundle's entry; `wanted` is its status alone; `target` is what is changed or deleted, if anything;
    `about` the record and the type that it looks at or changes."""

    request: dict[str, str]
    wanted: int
    about: tuple[str, str]
    resource: Any = None
    target: Version | None = None

    @property
    def conditional(self) -> bool:
        return "?" in self.request["url"] or "ifNoneExist" in self.request

    @property
    def headers(self) -> dict[str, str]:
        named = {"ifNoneExist": "if_none_exist", "ifMatch": "if_match"}
        return {header: self.request[name] for name, header in named.items() if name in self.request}

    def entry(self, name: str) -> Tree:
        """Of a Bundle. A JSON Patch stands in it as a Binary (http.html#transaction)."""
        found: Tree = {"request": self.request}
        if self.request["method"] == "POST":
            found["fullUrl"] = f"urn:uuid:{name}"
        if self.request["method"] == "PATCH":
            data = base64.b64encode(json.dumps(self.resource).encode()).decode()
            found["resource"] = {"resourceType": "Binary", "contentType": PATCH, "data": data}
        elif self.resource is not None:
            found["resource"] = self.resource
        return found


async def done(run: Run, part: Part, status: int, location: str) -> None:
    """Learns what an answer says was done."""
    target = part.target
    if status == 201:
        await learn(run, "/".join(location.split("/")[-4:-2]), part.about[1])
    elif target is not None and part.request["method"] == "DELETE" and status in (200, 204):
        run.world.write(target._replace(deleted=True, number=target.number + 1))
    elif target is not None and part.request["method"] != "GET" and status == 200:
        await learn(run, target.ref, target.patient, target)


# ---- by id --------------------------------------------------------------------------------------------------------


def creation(run: Run) -> Part | None:
    tree, patient = some_creation(run)
    type_ = tree["resourceType"]
    wanted = status_of_creation(run, tree, patient)
    return Part({"method": "POST", "url": type_}, wanted, (type_, patient), tree)


def change(run: Run) -> Part | None:
    return _changed(run, some_entry(run))


def change_if_match(run: Run) -> Part | None:
    """412 for a version that is no longer the current one, to whoever may change it; hidden, 404 as ever."""
    part = _changed(run, some_entry(run))
    return part and _if_match(run, part)


def _changed(run: Run, version: Version | None) -> Part | None:
    """Its language. Someone else's entry only where that is refused, since the service then writes its origin beside it."""
    if version is None:
        return None
    tree = {**version.tree, "language": _other_language(run, version)}
    wanted = status_of_change(run, version, tree)
    if wanted == 200 and version.author != run.caller.held.person:
        return None
    return Part({"method": "PUT", "url": version.ref}, wanted, _about(version), tree, version)


def _if_match(run: Run, part: Part) -> Part | None:
    if part.wanted == 403 or part.target is None:
        return None
    right = run.random.random() < 0.5
    request = {**part.request, "ifMatch": f'W/"{part.target.number + (not right)}"'}
    return part._replace(request=request, wanted=part.wanted if right or part.wanted == 404 else 412)


def patching(run: Run) -> Part | None:
    version = some_entry(run)
    return version and _patched(run, version, version.ref, [version] if run.sees(version) else [])


def _patched(run: Run, version: Version, url: str, matches: list[Version]) -> Part | None:
    target = matches[0] if len(matches) == 1 else version
    language = _other_language(run, target)
    changed = status_of_change(run, target, {**target.tree, "language": language})
    wanted = {0: 404, 1: changed}.get(len(matches), 412)
    if wanted == 200 and target.author != run.caller.held.person:
        return None
    operation = [{"op": "add", "path": "/language", "value": language}]
    return Part({"method": "PATCH", "url": url}, wanted, _about(version), operation, target)


def deletion(run: Run) -> Part | None:
    version = some_entry(run)
    if version is None:
        return None
    wanted = status_of_deletion(run, version)
    return Part({"method": "DELETE", "url": version.ref}, wanted, _about(version), target=version)


def deletion_if_match(run: Run) -> Part | None:
    part = deletion(run)
    return part and _if_match(run, part)


# ---- by a criterion -----------------------------------------------------------------------------------------------


def creation_unless(run: Run) -> Part | None:
    """If-None-Exist: 201 for none that is seen, 200 for one, 412 for several."""
    version = some_entry(run)
    if version is None:
        return None
    query, matches = _criterion(run, version)
    tree, (type_, patient) = _another(run, version), _about(version)
    wanted = {0: status_of_creation(run, tree, patient), 1: 200}.get(len(matches), 412)
    return Part({"method": "POST", "url": type_, "ifNoneExist": query}, wanted, (type_, patient), tree)


def change_where(run: Run) -> Part | None:
    """PUT: creates for none that is seen, changes the one, 412 for several. What is not shown of the one is not taken out of
    it (422)."""
    version = some_entry(run)
    if version is None:
        return None
    query, matches = _criterion(run, version)
    target, about = matches[0] if len(matches) == 1 else version, _about(version)
    tree = {**_another(run, version), "language": _other_language(run, target)}
    changed = status_of_change(run, target, tree) if run.shown(target) == target.tree else 422
    alone = {0: status_of_creation(run, tree, version.patient), 1: changed}
    wanted = alone.get(len(matches), 412)
    if wanted == 200 and target.author != run.caller.held.person:
        return None
    return Part({"method": "PUT", "url": f"{about[0]}?{query}"}, wanted, about, tree, target if matches else None)


def patching_where(run: Run) -> Part | None:
    version = some_entry(run)
    if version is None:
        return None
    query, matches = _criterion(run, version)
    return _patched(run, version, f"{_about(version)[0]}?{query}", matches)


def deletion_where(run: Run) -> Part | None:
    """What is hidden is nothing to delete, which is no error (204); several are refused."""
    version = some_entry(run)
    if version is None:
        return None
    query, matches = _criterion(run, version)
    wanted = {0: 204, 1: status_of_deletion(run, matches[0] if matches else version)}.get(len(matches), 412)
    request = {"method": "DELETE", "url": f"{_about(version)[0]}?{query}"}
    return Part(request, wanted, _about(version), target=matches[0] if matches else None)


EVERY: tuple[Callable[[Run], Part | None], ...] = (
    creation, creation, change, change_if_match, patching, deletion, deletion_if_match,
    creation_unless, change_where, patching_where, deletion_where,
)  # fmt: skip


def _about(version: Version) -> tuple[str, str]:
    return version.ref.partition("/")[0], version.patient


def _other_language(run: Run, version: Version) -> str:
    """Nothing is written where nothing changes."""
    known = version.tree.get("language")
    return str(run.random.choice([one for one in _LANGUAGES if one != known]))


def _criterion(run: Run, version: Version) -> tuple[str, list[Version]]:
    """A query of the version's type, and what of it the caller sees."""
    type_, id_ = version.ref.split("/")
    if run.random.random() < 0.6:
        query, matches = {"_id": id_}, [version]
    else:
        query = {"patient": version.patient.partition("/")[2]}
        matches = [
            one for one in run.world.current() if one.ref.startswith(f"{type_}/") and one.patient == version.patient
        ]
    return urlencode(query), [one for one in matches if run.sees(one)]


def _another(run: Run, version: Version) -> Tree:
    """The same content without its id, and naming no entry: another one of the same record."""
    named = (*ENTRIES, "Encounter/")  # an encounter that is not seen is nobody's
    others = {one.ref for versions in run.world.versions.values() for one in versions if one.ref.startswith(named)}
    plain = without(version.tree, others)
    tree = {name: value for name, value in plain.items() if name not in ("id", "meta", "text")}
    labels = version.tree.get("meta", {}).get("security")
    return {**tree, **({"meta": {"security": labels}} if labels else {}), "language": run.random.choice(_LANGUAGES)}
