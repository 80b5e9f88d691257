"""Entries that are made, amended and deleted: who may, and whom a hidden record tells nothing.

Only entries: what gives rights (teams, consents, stays) has rules of its own. An amendment of someone else's entry is
asked only where it is refused, since the service then writes its origin beside it, which the world does not know.
"""

from typing import Any

from . import law
from .facts import Tree
from .labels import signs_for_another, version_of
from .rights import PERSONS, Held, Version
from .running import Run, differ
from .worlds import entry

ENTRIES = (
    "Observation", "Condition", "DocumentReference", "Communication", "AllergyIntolerance", "MedicationRequest", "Flag",
    "CarePlan", "DiagnosticReport", "RiskAssessment", "List",
)  # fmt: skip
_ABSENT = "0" * 31 + "1"


def _types_allow(held: Held, *trees: Tree) -> bool:
    """Rows 15, 16 and 23."""
    only = law.WRITES_ONLY.get(held.code)
    if only is None:
        return True
    return all(_one_allows(only.get(tree["resourceType"]), tree) for tree in trees)


def _one_allows(codes: Any, tree: Tree) -> bool:
    if codes is None:
        return False
    held = {
        one["code"] for path in ("category", "type") for concept in _listed(tree.get(path)) for one in concept["coding"]
    }
    note = any("TypeNote" in one["system"] for concept in _listed(tree.get("type")) for one in concept["coding"])
    return not codes or bool(held & set(codes)) or ("note" in codes and note)


def _listed(value: Any) -> list[Any]:
    found = value if isinstance(value, list) else [] if value is None else [value]
    return [one for one in found if "coding" in one]


def some_creation(run: Run) -> tuple[Tree, str]:
    """An entry, of a patient whom the caller knows more than half of the time."""
    held, everyone = run.caller.held, run.place.patients
    mine = [one for one in everyone if run.known(one)]
    patient = run.random.choice(mine if mine and run.random.random() < 0.6 else everyone)
    people = [one.person for one in run.world.held()]
    author = run.random.choice(["", held.person if "Practitioner" in held.person else "", run.random.choice(people)])
    return entry(run.random, patient, author, run.random.choice(people)), patient


async def create(run: Run) -> str:
    tree, patient = some_creation(run)
    wanted = status_of_creation(run, tree, patient)
    answer = await run.ask("POST", tree["resourceType"], tree)
    if wanted == 422:
        # Hidden: as if there were no such patient.
        nobody = entry_about(tree, patient, f"Patient/{_ABSENT}")
        about_nobody = await run.ask("POST", tree["resourceType"], nobody)
        if about_nobody.status_code != wanted:
            return f"an entry about nobody: {about_nobody.status_code}"
    if answer.status_code == 201:
        await learn_made(run, answer, patient)
    return differ("status", answer.status_code, wanted)


def entry_about(tree: Tree, patient: str, other: str) -> Tree:
    return {name: {"reference": other} if one == {"reference": patient} else one for name, one in tree.items()}


def status_of_creation(run: Run, tree: Tree, patient: str) -> int:
    if not run.known(patient):
        return 422  # as a reference to nobody
    version = version_of(run.world, tree, patient, run.caller.held, None)
    if not (_types_allow(run.caller.held, tree) and run.world.writes(run.caller.held, version)):
        return 403
    return 422 if signs_for_another(tree, run.caller.held) else 201


async def learn_made(run: Run, answer: Any, patient: str) -> None:
    """What an answer says was created."""
    await learn(run, "/".join(answer.headers["location"].split("/")[-4:-2]), patient)


async def learn(run: Run, ref: str, patient: str, before: Version | None = None) -> None:
    tree = await run.place.as_maker("GET", ref)
    run.world.write(version_of(run.world, tree, patient, run.caller.held, before))


def some_entry(run: Run) -> Version | None:
    """One that the caller wrote, half of the time."""
    found = [one for one in run.world.current() if one.ref.partition("/")[0] in ENTRIES]
    mine = [one for one in found if one.author == run.caller.held.person and run.sees(one)]
    return run.random.choice(mine if mine and run.random.random() < 0.5 else found) if found else None


async def amend(run: Run) -> str:
    version = some_entry(run)
    if version is None:
        return ""
    held, tree = run.caller.held, {**version.tree, "language": run.random.choice(["fr", "br", "en"])}
    wanted = status_of_change(run, version, tree)
    if wanted == 200 and version.author != held.person:
        return ""
    answer = await run.ask("PUT", version.ref, tree)
    if answer.status_code == 200 and tree != version.tree:
        await learn(run, version.ref, version.patient, version)
    return differ("status", answer.status_code, wanted)


def status_of_change(run: Run, version: Version, tree: Tree) -> int:
    if not run.sees(version):
        return 404
    after = version_of(run.world, tree, version.patient, run.caller.held, version)
    may = run.world.writes(run.caller.held, version) and run.world.writes(run.caller.held, after)
    mine = run.caller.held.code not in PERSONS or version.author == run.caller.held.person
    if not (may and mine and _types_allow(run.caller.held, version.tree, tree)):
        return 403
    return 422 if signs_for_another(tree, run.caller.held) else 200


async def delete(run: Run) -> str:
    version = some_entry(run)
    if version is None:
        return ""
    answer = await run.ask("DELETE", version.ref)
    wanted = status_of_deletion(run, version)
    if answer.status_code in (200, 204):
        run.world.write(version._replace(deleted=True, number=version.number + 1))
    return differ("status", answer.status_code, wanted)


def status_of_deletion(run: Run, version: Version) -> int:
    """By its author, while it is young, as all here is."""
    held = run.caller.held
    own = version.author == held.person and not held.software and held.code != law.DELETES_NOTHING
    may = own and run.world.writes(held, version) and _types_allow(held, version.tree)
    return 404 if not run.sees(version) else 204 if may else 403
