"""Who is on the list of a session, and whom to propose for it, as far as the reader sees their records."""

from dataclasses import dataclass
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.calendar import entry
from liaison.protocols.workshops import STEP, Session, noted, patient_of, same_workshop, step_of, workshops
from liaison.services.applying import library
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.reading.contact import ways
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.record import Record

Tree = dict[str, Any]
HELD: Final = frozenset({"booked", "arrived", "checked-in", "fulfilled", "noshow"})
"""The states of an Appointment of someone who is on the list, or was until the session was held."""
_TO_DO: Final = "requested,received,accepted,ready,in-progress,on-hold"


@dataclass(frozen=True, slots=True)
class Listed:
    """Someone on the list. `goals`: the objectives of their plan that the workshop works towards. `unfinished`: they came,
    and the reader sees that their step is still open. `mailbox`: of their own, '' for none."""

    appointment: Tree
    who: Identity
    patient: str
    goals: list[Tree]
    unfinished: bool = False
    mailbox: str = ""

    @property
    def state(self) -> str:
        return str(self.appointment["status"])

    @property
    def comes(self) -> bool:
        """They have a place, and live as far as the record says: who has died is sent nothing."""
        return self.state == "booked" and not self.who.deceased

    @property
    def transport(self) -> str:
        """'needed', 'arranged' or ''."""
        said = noted(self.appointment, codes.TRANSPORT)
        return said if said in ("needed", "arranged") else ""

    @property
    def first_name_given(self) -> bool:
        return noted(self.appointment, codes.FIRST_NAME) is True


@dataclass(frozen=True, slots=True)
class Proposed:
    """Someone whose plan has this workshop to come. `late` in days; `absent`: they missed a session of it."""

    step: Tree
    who: Identity
    patient: str
    late: int
    absent: bool


async def appointments(record: Record, held: Session) -> list[Tree]:
    """Of everybody who was ever put on the list, those who gave up too."""
    return await found(record, "Appointment", {"slot": f"Slot/{held.id}", "_count": "100"}, 200)


async def listed(record: Record, held: Session) -> list[Listed]:
    """By name."""
    standing = [one for one in await appointments(record, held) if one["status"] in HELD]
    trees = await _trees(record, {patient_of(one) for one in standing})
    people = {patient: identity(tree) for patient, tree in trees.items()}
    aims = next(
        (one.goals for one in workshops(await library(record)) if same_workshop(one.canonical, held.workshop)), ()
    )
    goals = await _goals(record, people, aims) if aims else {}
    open_ = await _open_steps(record, held, {patient_of(one) for one in standing if one["status"] == "fulfilled"})
    told = [
        Listed(
            one,
            people[patient],
            patient,
            goals.get(patient, []),
            one["status"] == "fulfilled" and patient in open_,
            next(iter(ways(trees[patient], "email", record.now())), ""),
        )
        for one in standing
        if (patient := patient_of(one)) in people
    ]
    return sorted(told, key=lambda one: one.who.sorting)


async def step_for(record: Record, held: Session, appointment: Tree) -> Tree | None:
    """The open step of their plan that this session is for; None for none that the reader sees."""
    return (await _open_steps(record, held, {patient_of(appointment)})).get(patient_of(appointment))


async def _open_steps(record: Record, held: Session, people: set[str]) -> dict[str, Tree]:
    """By person."""
    if not people:
        return {}
    query = {"patient": ",".join(sorted(people)), "code": f"{codes.STEP}|{STEP}", "status": _TO_DO, "_count": "500"}
    tasks = await found(record, "Task", query, 1000)
    return {
        str(one["for"]["reference"]): one
        for one in tasks
        if same_workshop(str(one.get("instantiatesCanonical", "")), held.workshop)
    }


async def named(record: Record, held: Session, name: str) -> list[tuple[str, Identity]]:
    """Those of the reader's patients whose name begins so and who are not on the list; by name."""
    known = {patient_of(one) for one in await appointments(record, held) if one["status"] in HELD}
    trees = await found(record, "Patient", {"name": name, "_sort": "family,given", "_count": "20"}, 20)
    return [(str(one["id"]), identity(one)) for one in trees if f"Patient/{one['id']}" not in known]


async def proposed(record: Record, held: Session) -> list[Proposed]:
    """Those whose step is open and who have no place in a session of it: who missed one first, then the longest late."""
    query = {"code": f"{codes.STEP}|{STEP}", "status": _TO_DO, "_count": "500"}
    tasks = await found(record, "Task", query, 2000)
    steps = {
        f"Task/{one['id']}": one
        for one in tasks
        if same_workshop(str(one.get("instantiatesCanonical", "")), held.workshop)
    }
    states: dict[str, set[str]] = {reference: set() for reference in steps}
    if steps:
        placed = await found(record, "Appointment", {"supporting-info": ",".join(steps), "_count": "500"}, 2000)
        for one in placed:
            states.setdefault(step_of(one), set()).add(one["status"])
    here = {patient_of(one) for one in await appointments(record, held) if one["status"] in HELD - {"noshow"}}
    free = {
        one: step
        for one, step in steps.items()
        if not states[one] & (HELD - {"noshow"}) and str(step["for"]["reference"]) not in here
    }
    people = await _people(record, {str(one["for"]["reference"]) for one in free.values()})
    today = record.now().date()
    told = [
        Proposed(one, people[patient], patient, max(0, entry(one, today).days), "noshow" in states[reference])
        for reference, one in free.items()
        if (patient := str(one["for"]["reference"])) in people and not people[patient].deceased
    ]
    return sorted(told, key=lambda one: (not one.absent, -one.late, one.who.sorting))


async def _goals(record: Record, people: dict[str, Identity], aims: tuple[str, ...]) -> dict[str, list[Tree]]:
    """The open objectives with these words, by person."""
    if not people:
        return {}
    query = {"patient": ",".join(sorted(people)), "lifecycle-status": "active", "_count": "500"}
    by_person: dict[str, list[Tree]] = {}
    for goal in await found(record, "Goal", query, 1000):
        if (goal.get("description") or {}).get("text") in aims:
            by_person.setdefault(str(goal["subject"]["reference"]), []).append(goal)
    return by_person


async def _people(record: Record, references: set[str]) -> dict[str, Identity]:
    return {patient: identity(tree) for patient, tree in (await _trees(record, references)).items()}


async def _trees(record: Record, references: set[str]) -> dict[str, Tree]:
    ids = ",".join(sorted(one.partition("/")[2] for one in references if one))
    trees = await found(record, "Patient", {"_id": ids, "_count": "200"}, 1000) if ids else []
    return {f"Patient/{tree['id']}": tree for tree in trees}
