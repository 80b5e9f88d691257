"""What gathers: includes both ways, compartments, `$everything`, `$lastn` and batches. Each shows what a read would show."""

from collections.abc import Iterable
from typing import Any

from ..reference.elements import at, span
from ..reference.named import Names, behind, named
from ..reference.results import MEMBERS, member
from .facts import reference
from .reading import is_had, status_of
from .running import Run, differ, name_of
from .worlds import IN_A_STAY

_FORWARD = {
    "Observation": ("subject", "performer"), "Condition": ("subject",), "DocumentReference": ("subject", "author"),
    "Communication": ("subject", "sender", "recipient"), "CareTeam": ("subject", "participant.member"),
    "AllergyIntolerance": ("patient",), "ServiceRequest": ("subject", "requester"),
}  # fmt: skip
"""Where these refer, and by which search parameters below."""
_CODES = {
    "subject": "subject", "performer": "performer", "author": "author", "sender": "sender", "recipient": "recipient",
    "participant.member": "participant", "patient": "patient", "requester": "requester",
}  # fmt: skip


def _seen(run: Run) -> dict[str, Any]:
    return {one.ref: one.tree for one in run.visible()}


def _targets(tree: Any, paths: Iterable[str], seen: dict[str, Any]) -> Names:
    return {name for path in paths for one in at(tree, path) if (name := reference(one)) in seen}


async def included(run: Run) -> str:
    """The targets that the caller sees, and of a role its person, once more (`:iterate`)."""
    type_, patient = run.random.choice(sorted(_FORWARD)), run.random.choice(run.place.patients)
    paths = run.random.sample(_FORWARD[type_], run.random.randint(1, len(_FORWARD[type_])))
    again = run.random.random() < 0.5
    query = [("patient", patient), ("_count", run.random.choice(["100", "4"])), ("_total", "accurate")]
    query += [("_include", f"{type_}:{_CODES[path]}") for path in paths]
    query += [("_include:iterate", "PractitionerRole:practitioner")] if again else []
    found, others, wrong = await run.pages(type_, query)
    seen = _seen(run)
    matches = {ref for ref, tree in seen.items() if ref.startswith(f"{type_}/") and _of(tree) == patient}
    wanted = {name for ref in matches for name in _targets(seen[ref], paths, seen)} - matches
    if again:
        roles = {name for name in wanted if name.startswith("PractitionerRole/")}
        wanted |= {name for role in roles for name in _targets(seen[role], ["practitioner"], seen)}
    return (
        wrong
        or differ("matches", set(map(name_of, found)), matches)
        or differ("included", set(map(name_of, others)), wanted)
    )


def _of(tree: Any) -> str:
    return next((reference(one) for path in ("subject", "patient", "for") for one in at(tree, path)), "")


async def referring(run: Run) -> str:
    """`_revinclude` to a patient: what of the record names them and is seen; and the lists that name any of that (`:iterate`)."""
    patient = run.random.choice(run.place.patients)
    types = run.random.sample(sorted(_FORWARD), 2)
    query = [("_id", patient.partition("/")[2])]
    query += [("_revinclude", f"{type_}:patient") for type_ in types]
    again = run.random.random() < 0.5
    query += [("_revinclude:iterate", "List:item")] if again else []
    found, others, wrong = await run.pages("Patient", query)
    seen = _seen(run)
    shown = patient in seen
    wanted = {ref for ref, tree in seen.items() if shown and ref.partition("/")[0] in types and _of(tree) == patient}
    while again and (more := _naming(wanted, seen) - wanted):
        wanted |= more
    return (
        wrong
        or differ("matches", list(map(name_of, found)), [patient] if shown else [])
        or differ("included", set(map(name_of, others)), wanted)
    )


def _naming(items: Names, seen: dict[str, Any]) -> Names:
    """The lists that name one of these."""
    lists = {ref: tree for ref, tree in seen.items() if ref.startswith("List/")}
    return {ref for ref, tree in lists.items() if not items.isdisjoint(map(reference, at(tree, "entry.item")))}


async def compartment(run: Run) -> str:
    """A type of one patient's record: what a search by the patient finds; nothing where the patient is not seen."""
    type_, patient = run.random.choice(sorted(_FORWARD)), run.random.choice(run.place.patients)
    found, _, wrong = await run.pages(f"{patient}/{type_}", [("_count", "6"), ("_total", "accurate")])
    seen = _seen(run)
    wanted = {
        ref for ref, tree in seen.items() if patient in seen and ref.startswith(f"{type_}/") and _of(tree) == patient
    }
    return wrong or differ("ids", set(map(name_of, found)), wanted)


async def compartment_of_others(run: Run) -> str:
    """A type in the compartment of someone of the directory, or of a stay: what refers to them by the elements of R4
    (compartmentdefinition.html); nothing where the stay is not seen."""
    prefix = run.random.choice(["Practitioner/", "Encounter/"])
    known = [one.ref for one in run.world.current() if one.ref.startswith(prefix)]
    if not known:  # a world may have no stay
        return ""
    within = run.random.choice(known)
    members = MEMBERS[within.partition("/")[0]]
    type_ = run.random.choice([one for one, paths in members.items() if paths and one in IN_A_STAY])
    found, _, wrong = await run.pages(f"{within}/{type_}", [("_count", "6"), ("_total", "accurate")])
    seen = _seen(run)
    wanted = {
        ref
        for ref, tree in seen.items()
        if within in seen and ref.startswith(f"{type_}/") and member(tree, *within.split("/"))
    }
    return wrong or differ("ids", set(map(name_of, found)), wanted)


async def everything_around(run: Run) -> str:
    """Of a stay: it, and what of the record refers to it; 404 where it is not seen."""
    stays = [one for one in run.world.current() if one.ref.startswith("Encounter/")]
    if not stays:
        return ""
    stay, seen = run.random.choice(stays), _seen(run)
    if stay.ref not in seen:
        return differ("status", (await run.ask("GET", f"{stay.ref}/$everything")).status_code, 404)
    found, _, wrong = await run.pages(f"{stay.ref}/$everything", [("_count", run.random.choice(["500", "3"]))])
    record = {one.ref: one.tree for one in run.visible() if one.patient == stay.patient}
    around = {ref for ref, tree in record.items() if stay.ref in named(tree)} | {stay.ref}
    return wrong or differ("around it", set(map(name_of, found)), around)


async def everything(run: Run) -> str:
    """The whole record as it is seen, with what of the directory it leads to; 404 where the patient is not seen."""
    patient = run.random.choice(run.place.patients)
    seen = _seen(run)
    if patient not in seen:
        return differ("status", (await run.ask("GET", f"{patient}/$everything")).status_code, 404)
    query, types = [("_count", run.random.choice(["500", "9"]))], set(IN_A_STAY)
    if only := run.random.random() < 0.3:
        query.append(("_type", ",".join(sorted(types))))
    found, others, wrong = await run.pages(f"{patient}/$everything", query)
    record = {one.ref: one.tree for one in run.visible() if one.patient == patient}
    if only:
        matches = {ref for ref in record if ref.partition("/")[0] in types}
        return wrong or differ("of these types", set(map(name_of, found)), matches)
    directory = {one.ref: one.tree for one in run.visible() if not one.patient}
    return (
        wrong
        or differ("record", set(map(name_of, found)), set(record))
        or differ("directory", set(map(name_of, others)), behind(record.values(), directory))
    )


async def lastn(run: Run) -> str:
    """The newest of each code that is seen: a newer one that is hidden takes nobody's place."""
    patient, most = run.random.choice(run.place.patients), run.random.randint(1, 3)
    category = run.random.choice(["vital-signs", "laboratory", "survey"])
    found, _, wrong = await run.pages(
        "Observation/$lastn", [("patient", patient), ("category", category), ("max", str(most))]
    )
    groups: dict[str, list[Any]] = {}
    for ref, tree in _seen(run).items():
        if ref.startswith("Observation/") and _of(tree) == patient and _category(tree) == category:
            groups.setdefault(_code(tree), []).append(span(tree["effectiveDateTime"])[0])
    # Of two on one day either may be told: the days are compared, not the ids.
    wanted = sorted((code, day) for code, days in groups.items() for day in sorted(days, reverse=True)[:most])
    told = sorted((_code(one["resource"]), span(one["resource"]["effectiveDateTime"])[0]) for one in found)
    return wrong or differ("newest", told, wanted)


def _category(tree: Any) -> str:
    return str(tree["category"][0]["coding"][0]["code"])


def _code(tree: Any) -> str:
    return str(tree["code"]["coding"][0]["code"])


async def batch(run: Run) -> str:
    """Each part is answered as if it had come alone: 304 for who has what is there."""
    versions = [run.any_version() for _ in range(run.random.randint(2, 6))]
    tags = [run.random.choice(["", "", 'W/"1"', 'W/"2"']) for _ in versions]
    entries = [_reading(one.ref, tag) for one, tag in zip(versions, tags, strict=True)]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}
    answer = await run.ask("POST", "", bundle)
    if answer.status_code != 200:
        return f"status {answer.status_code}"
    parts = answer.json()["entry"]
    wrong = next(filter(None, (run.misshown(one["resource"]) for one in parts if "resource" in one)), "")
    told = [one["response"]["status"].partition(" ")[0] for one in parts]
    current = [run.world.versions[one.ref][-1] for one in versions]
    wanted = [
        "304" if (status := status_of(run, True, one)) == 200 and is_had(run, one, tag) else str(status)
        for one, tag in zip(current, tags, strict=True)
    ]
    return wrong or differ("statuses", told, wanted)


def _reading(ref: str, tag: str) -> Any:
    return {"request": {"method": "GET", "url": ref, **({"ifNoneMatch": tag} if tag else {})}}
