"""Transactions and batches of entries: all of a transaction is done when each part may be done alone, else nothing is, and
the answer is that of a part. A batch does each part that may be."""

from typing import Any

from .facts import Tree
from .rights import Version
from .running import Run, differ
from .writing import (
    learn,
    some_creation,
    some_entry,
    status_of_change,
    status_of_creation,
    status_of_deletion,
)

Part = tuple[Tree, int, str, Version | None]
"""An entry of the Bundle, its status alone, the patient, and the version before it."""


def _parts(run: Run) -> list[Part]:
    parts: list[Part] = []
    taken: set[str] = set()
    for number in range(run.random.randint(1, 4)):
        version = some_entry(run)
        kind = run.random.choice(["create", "create", "update", "delete"])
        if kind == "create" or version is None or version.ref in taken:
            tree, patient = some_creation(run)
            request = {"method": "POST", "url": tree["resourceType"]}
            entry = {"fullUrl": f"urn:uuid:{run.random.getrandbits(128):032x}", "resource": tree, "request": request}
            parts.append((entry, status_of_creation(run, tree, patient), patient, None))
        elif kind == "update":
            tree = {**version.tree, "language": f"x-{number}"}
            wanted = status_of_change(run, version, tree)
            if wanted != 200 or version.author == run.caller.held.person:
                taken.add(version.ref)
                entry = {"resource": tree, "request": {"method": "PUT", "url": version.ref}}
                parts.append((entry, wanted, version.patient, version))
        else:
            taken.add(version.ref)
            entry = {"request": {"method": "DELETE", "url": version.ref}}
            parts.append((entry, status_of_deletion(run, version), version.patient, version))
    return parts


async def transaction(run: Run) -> str:
    parts = _parts(run)
    if not parts:
        return ""
    refused = {wanted for _, wanted, _, _ in parts if wanted >= 400}
    before = await _counted(run, parts)
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry for entry, *_ in parts]}
    answer = await run.ask("POST", "", bundle)
    if refused:
        if answer.status_code not in refused:
            return differ("status", answer.status_code, refused)
        return differ("what there is", await _counted(run, parts), before)
    if answer.status_code != 200:
        return differ("status", answer.status_code, 200)
    for part, told in zip(parts, answer.json()["entry"], strict=True):
        await _learn(run, part, told["response"])
    return ""


async def batch_of_writes(run: Run) -> str:
    """Each part is done or refused as if it had come alone."""
    parts = _parts(run)
    if not parts:
        return ""
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [entry for entry, *_ in parts]}
    answer = await run.ask("POST", "", bundle)
    if answer.status_code != 200:
        return differ("status", answer.status_code, 200)
    told = [one["response"] for one in answer.json()["entry"]]
    statuses = [int(one["status"].partition(" ")[0]) for one in told]
    for part, status, response in zip(parts, statuses, told, strict=True):
        if status < 300:
            await _learn(run, part, response)
    return differ("statuses", statuses, [wanted for _, wanted, _, _ in parts])


async def _learn(run: Run, part: Part, response: Tree) -> None:
    entry, _, patient, version = part
    if entry["request"]["method"] == "DELETE":
        assert version is not None
        run.world.write(version._replace(deleted=True, number=version.number + 1))
    else:
        await learn(run, "/".join(response["location"].split("/")[-4:-2]), patient, version)


async def _counted(run: Run, parts: list[Part]) -> dict[str, Any]:
    """How many entries of each type there are, and the version of those that are changed."""
    types = {entry["request"]["url"].partition("/")[0] for entry, *_ in parts}
    found = {type_: (await run.place.as_maker("GET", f"{type_}?_summary=count"))["total"] for type_ in sorted(types)}
    for _, _, _, version in parts:
        if version is not None:
            found[version.ref] = (await run.place.as_maker("GET", version.ref))["meta"]["versionId"]
    return found
