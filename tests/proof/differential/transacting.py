"""Transactions and batches of entries: all of a transaction is done when each part may be done alone, else nothing is, and
the answer is that of a part. A batch does each part that may be.

No part looks at what another changes: what then holds is an order of R4's for a transaction and none for a batch.
"""

from typing import Any

from . import parts
from .facts import Tree
from .parts import Part
from .reading import status_of
from .running import Run, differ


def _some(run: Run) -> list[Part]:
    """A conditional part is the only one of its type in its record, and any other of what it changes."""
    found: list[Part] = []
    for _ in range(run.random.randint(1, 4)):
        part = run.random.choice([*parts.EVERY, _reading])(run)
        if part is not None and not any(_meet(part, other) for other in found):
            found.append(part)
    return found


def _meet(one: Part, other: Part) -> bool:
    if one.target is not None and other.target is not None and one.target.ref == other.target.ref:
        return True
    return one.about == other.about and (one.conditional or other.conditional)


def _reading(run: Run) -> Part:
    """It, and no other, is of that type in that record: what is read is what was there."""
    version = run.any_version()
    current = run.world.versions[version.ref][-1]
    type_ = version.ref.partition("/")[0]
    return Part(
        {"method": "GET", "url": version.ref}, status_of(run, True, current), (type_, version.patient), target=current
    )


def _bundle(run: Run, type_: str, some: list[Part]) -> Tree:
    entries = [one.entry(f"{run.random.getrandbits(128):032x}") for one in some]
    return {"resourceType": "Bundle", "type": type_, "entry": entries}


async def transaction(run: Run) -> str:
    some = _some(run)
    if not some:
        return ""
    if run.random.random() < 0.2:
        some += _again(run, some)
    refused = {one.wanted for one in some if one.wanted >= 400}
    before = await _counted(run, some)
    answer = await run.ask("POST", "", _bundle(run, "transaction", some))
    if refused:
        if answer.status_code not in refused:
            return differ("status", answer.status_code, refused)
        return differ("what there is", await _counted(run, some), before)
    if answer.status_code != 200:
        return differ("status", answer.status_code, 200)
    run.tally["transaction that is done"] += 1
    return await _told(run, some, answer.json())


def _again(run: Run, some: list[Part]) -> list[Part]:
    """One more entry about what another one changes or deletes, by its id or by what its criterion matches: with it, the whole
    fails (http.html#trules)."""
    written = [one for one in some if one.target is not None and one.request["method"] != "GET"]
    if not written:
        return []
    run.tally["transaction about one resource twice"] += 1
    one = run.random.choice(written)
    assert one.target is not None
    return [Part({"method": "DELETE", "url": one.target.ref}, 400, one.about, target=one.target)]


async def batch_of_writes(run: Run) -> str:
    """Each part is done or refused as if it had come alone."""
    some = _some(run)
    if not some:
        return ""
    answer = await run.ask("POST", "", _bundle(run, "batch", some))
    if answer.status_code != 200:
        return differ("status", answer.status_code, 200)
    return await _told(run, some, answer.json())


async def _told(run: Run, some: list[Part], bundle: Tree) -> str:
    statuses = []
    for part, one in zip(some, bundle["entry"], strict=True):
        response = one["response"]
        statuses.append(int(response["status"].partition(" ")[0]))
        await parts.done(run, part, statuses[-1], response.get("location", ""))
    return differ("statuses", statuses, [one.wanted for one in some])


async def _counted(run: Run, some: list[Part]) -> dict[str, Any]:
    """How many entries of each type there are, and the version of those that are changed."""
    types = {one.about[0] for one in some}
    found = {type_: (await run.place.as_maker("GET", f"{type_}?_summary=count"))["total"] for type_ in sorted(types)}
    for one in some:
        if one.target is not None and not one.target.deleted:
            found[one.target.ref] = (await run.place.as_maker("GET", one.target.ref))["meta"]["versionId"]
    return found
