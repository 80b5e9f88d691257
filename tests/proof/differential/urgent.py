"""Emergency accesses and calls to the platform: to whom one is opened, and a caller who asks in it from then on (rows 11 to 13).

Nothing says who is not known, does not fit or objects: all are the same 404.
"""

from dataclasses import replace
from typing import Any

from liaison.auth.access.purposes import Purpose

from . import law
from .driving import Caller
from .facts import Tree
from .labels import version_of
from .rights import Held
from .running import Run, differ

URGENT = law.URGENT.split()


def _traits(tree: Tree) -> Any:
    name = tree["name"][0]
    return name["family"], name["given"][0], tree["birthDate"], tree["gender"]


def _alike(run: Run, patient: str) -> list[str]:
    """The records that what is stated of this patient fits. No INS or birthplace tells them apart."""
    trees = {f"Patient/{one.tree['id']}": one.tree for one in run.world.current() if one.ref.startswith("Patient/")}
    return [name for name, tree in trees.items() if _traits(tree) == _traits(trees[patient])]


def _opposed(run: Run, patient: str, held: Held, *, urgent: bool) -> bool:
    """To them as a whole, or to emergency access; what is not urgent also stops at an opposition to all sharing."""
    names = run.world.names(held)
    return any(
        (one.relation == "deny" and not one.classes and one.who in (names if urgent else [*names, ""]))
        or (one.relation == "objection" and urgent and one.who in [*names, ""])
        for one in run.world.facts(patient)
    )


async def _ask(run: Run, path: str, patient: str, reason: str, **named: str) -> Any:
    await run.place.house.database.writing.execute("delete from identity_attempt")  # nobody is at their limit
    tree = run.world.versions[patient][-1].tree
    identity = {name: tree[name] for name in ("resourceType", "name", "birthDate", "gender")}
    parts: list[Tree] = [{"name": "patient", "resource": identity}, {"name": "reason", "valueString": reason}]
    parts += [{"name": name, "valueReference": {"reference": one}} for name, one in named.items()]
    return await run.ask("POST", f"Patient/{path}", {"resourceType": "Parameters", "parameter": parts})


async def emergency(run: Run) -> str:
    """All the records that fit are opened, since one person may have several; an objection in one holds in all."""
    held, patient = run.caller.held, run.random.choice(run.place.patients)
    if held.urgent:
        return ""
    answer = await _ask(run, "$emergency-access", patient, "Trouvée inconsciente chez elle")
    allowed = held.code in URGENT and not held.software
    records = _alike(run, patient)
    opposed = any(_opposed(run, one, held, urgent=True) for one in records)
    wanted = 403 if not allowed else 404 if opposed else 200
    if answer.status_code == 200:
        for one in records:
            await _learn(run, one, urgent=True)
    return differ("status", answer.status_code, wanted)


async def call(run: Run) -> str:
    """Asked by those who answer the platform: others are told that they do not. One record is opened, or none."""
    receiving = [one for one in run.place.callers if one.held.code in law.RECEIVE and not one.held.urgent]
    if run.random.random() < 0.8:
        run.caller = run.random.choice(receiving)
    held, patient = run.caller.held, run.random.choice(run.place.patients)
    if held.urgent:
        return ""
    doctor = next(one.held for one in receiving if one.held.code == "regulating-doctor")
    named = {"regulator": doctor.ref} if held.code == "call-handler" else {}
    answer = await _ask(run, "$open-call", patient, "Sa voisine ne l'a pas vue", **named)
    urgent = held.code == "regulating-doctor"
    open_ = _alike(run, patient) == [patient] and not _opposed(run, patient, held, urgent=urgent)
    wanted = 403 if held.code not in law.RECEIVE else 200 if open_ else 404
    if answer.status_code == 200:
        await _learn(run, patient, urgent=urgent)
    return differ("status", answer.status_code, wanted)


async def _learn(run: Run, patient: str, *, urgent: bool) -> None:
    """What was written of it; and whoever opened it asks in it, too, from now on."""
    for type_ in ("Task", "Communication"):
        bundle = await run.place.as_maker("GET", f"{type_}?patient={patient}&_count=1000")
        for tree in (entry["resource"] for entry in bundle.get("entry", ())):
            if f"{type_}/{tree['id']}" not in run.world.versions:
                run.world.write(version_of(run.world, tree, patient, None, None))
    one = run.caller
    if urgent and not any(other.held.urgent and other.held.ref == one.held.ref for other in run.place.callers):
        act = replace(one.act, purpose=Purpose.ETREAT)
        run.place.callers.append(Caller(f"{one.name} in an emergency", one.held.in_an_emergency(), act))
