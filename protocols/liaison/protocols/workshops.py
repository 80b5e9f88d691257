"""Sessions of an education programme: planned for a workshop, each with its list, and who came.

A session is a Schedule (who holds it, where) and a Slot (when, for which action of which programme, how many it takes); they
name no patient. Who is on the list has an Appointment for that Slot in their own record, with the step of their plan that
it is for. Pure: trees in, trees out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from liaison.protocols import codes
from liaison.protocols.calendar import complete
from liaison.protocols.carry_out import created
from liaison.protocols.library.library import Library

Tree = dict[str, Any]
Named = tuple[str, str]
"""(reference, name)."""

STEP: Final = "etp-session"
LEAST, MOST = 1, 30
"""People. Usually 5 to 10; one alone is a session too."""
SHORTEST, LONGEST = 15, 240
"""Minutes. Usually 60 to 120."""
LISTED: Final = frozenset({"proposed", "pending", "booked", "arrived", "checked-in", "fulfilled", "noshow"})
"""The states of an Appointment that hold a place, or held one."""
OVER: Final = frozenset({"completed", "cancelled", "rejected", "failed", "entered-in-error"})
"""The states of a Task that is not to be done any more."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """One kind of session of a programme. `goals` are the words of the objectives that it works towards."""

    canonical: str
    programme: str
    title: str
    concept: Tree
    goals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """One session that was planned. `cancelled`: it will not be held."""

    slot: Tree
    workshop: str
    title: str
    start: datetime
    end: datetime
    capacity: int
    place: str
    held_by: tuple[str, ...]
    cancelled: bool

    @property
    def id(self) -> str:
        return str(self.slot["id"])


def workshops(library: Library) -> list[Workshop]:
    """Those of every programme of the library, in its order."""
    found = []
    for plan in library.of_type("PlanDefinition"):
        goals = {goal["id"]: str(goal["description"]["text"]) for goal in plan.get("goal", ()) if "id" in goal}
        for action in plan.get("action", ()):
            if _is_session(action):
                canonical = f"{plan['url']}|{plan['version']}#{action['id']}"
                aims = tuple(goals[one] for one in action.get("goalId", ()) if one in goals)
                concept = {"coding": action["code"][0]["coding"], "text": action["title"]}
                found.append(Workshop(canonical, str(plan["title"]), str(action["title"]), concept, aims))
    return found


def _is_session(action: Tree) -> bool:
    coded = (coding for concept in action.get("code", ()) for coding in concept.get("coding", ()))
    return any(one.get("system") == codes.STEP and one.get("code") == STEP for one in coded)


def same_workshop(canonical: str, other: str) -> bool:
    """Whether both are the same action of a programme, whatever its version."""
    return _unversioned(canonical) == _unversioned(other) != ("", "")


def _unversioned(canonical: str) -> tuple[str, str]:
    url, _hash, action = canonical.partition("#")
    return url.partition("|")[0], action


def planned(
    workshop: Workshop,
    start: datetime,
    end: datetime,
    capacity: int,
    *,
    held_by: Sequence[Named],
    place: Named | None,
    keeper: str,
    seed: UUID,
) -> Tree:
    """The transaction that makes a session. `held_by` are PractitionerRoles, `place` a Location, `keeper` the Organization."""
    schedule_urn, slot_urn = (f"urn:uuid:{uuid5(seed, part)}" for part in ("schedule", "slot"))
    kept = {"url": codes.KEPT_BY, "valueReference": {"reference": keeper}}
    actors = [*held_by, *([place] if place else [])]
    schedule: Tree = {
        "resourceType": "Schedule",
        "extension": [kept],
        "active": True,
        "serviceType": [workshop.concept],
        "actor": [{"reference": reference, "display": name} for reference, name in actors],
        "planningHorizon": {"start": start.isoformat(), "end": end.isoformat()},
    }
    slot: Tree = {
        "resourceType": "Slot",
        "extension": [
            kept,
            {"url": codes.WORKSHOP, "valueCanonical": workshop.canonical},
            {"url": codes.CAPACITY, "valuePositiveInt": capacity},
        ],
        "serviceType": [workshop.concept],
        "schedule": {"reference": schedule_urn},
        "status": "free",
        "start": start.isoformat(),
        "end": end.isoformat(),
    }
    return created(((schedule_urn, schedule), (slot_urn, slot)))


def read(slot: Tree, schedule: Tree) -> Session | None:
    """None for a Slot that is no session of a programme."""
    told = {one.get("url"): one for one in slot.get("extension", ())}
    workshop = str(told.get(codes.WORKSHOP, {}).get("valueCanonical", ""))
    if not workshop:
        return None
    actors = schedule.get("actor", ())
    places = [str(one.get("display", "")) for one in actors if str(one.get("reference", "")).startswith("Location/")]
    people = [
        str(one.get("display", "")) for one in actors if not str(one.get("reference", "")).startswith("Location/")
    ]
    return Session(
        slot,
        workshop,
        next((str(concept.get("text", "")) for concept in slot.get("serviceType", ())), ""),
        datetime.fromisoformat(slot["start"]),
        datetime.fromisoformat(slot["end"]),
        int(told.get(codes.CAPACITY, {}).get("valuePositiveInt", 0)),
        next(iter(places), ""),
        tuple(people),
        slot.get("status") in ("busy-unavailable", "entered-in-error"),
    )


def booked(session: Session, schedule: Tree, patient: str, step: Tree | None, at: datetime) -> Tree:
    """The Appointment of someone on the list; `step` is the Task of their plan, None where whoever books sees none."""
    # A patient educator comes to the session, not to the person: no fact about anybody follows from being named.
    others = [
        {"actor": dict(actor), "status": "accepted"} for actor in schedule.get("actor", ()) if not _is_educator(actor)
    ]
    task = [{"reference": f"Task/{step['id']}", "display": session.title}] if step else []
    made: Tree = {
        "resourceType": "Appointment",
        "status": "booked",
        "serviceType": list(session.slot.get("serviceType", ())),
        "description": session.title,
        "start": session.slot["start"],
        "end": session.slot["end"],
        "minutesDuration": int((session.end - session.start).total_seconds() // 60),
        "slot": [{"reference": f"Slot/{session.id}"}],
        "created": at.isoformat(timespec="seconds"),
        "participant": [{"actor": {"reference": patient}, "required": "required", "status": "accepted"}, *others],
    }
    return {**made, "supportingInformation": task} if task else made


def educators(schedule: Tree) -> list[Named]:
    """The patient educators who are named for it."""
    return [
        (str(one.get("reference", "")), str(one.get("display", "")))
        for one in schedule.get("actor", ())
        if _is_educator(one)
    ]


def with_educator(schedule: Tree, reference: str, name: str) -> Tree:
    """Naming one, at the end of those who hold it."""
    told = {"url": codes.PATIENT_EDUCATOR, "valueBoolean": True}
    actor = {"extension": [told], "reference": reference, "display": name}
    return {**schedule, "actor": [*without_educator(schedule, reference)["actor"], actor]}


def without_educator(schedule: Tree, reference: str) -> Tree:
    """Naming that one no more; whoever holds it otherwise stays."""
    kept = [one for one in schedule["actor"] if not (_is_educator(one) and one.get("reference") == reference)]
    return {**schedule, "actor": kept}


def _is_educator(actor: Tree) -> bool:
    told = (one for one in actor.get("extension", ()) if one.get("url") == codes.PATIENT_EDUCATOR)
    return any(one.get("valueBoolean") is True for one in told)


def step_of(appointment: Tree) -> str:
    """The reference of the step that it is for; '' for none."""
    told = (str(one.get("reference", "")) for one in appointment.get("supportingInformation", ()))
    return next((one for one in told if one.startswith("Task/")), "")


def patient_of(appointment: Tree) -> str:
    actors = (str(one.get("actor", {}).get("reference", "")) for one in appointment.get("participant", ()))
    return next((one for one in actors if one.startswith("Patient/")), "")


def for_step(appointment: Tree, step: Tree) -> Tree:
    """That it is for this step of their plan, said by who sees the plan."""
    return {**appointment, "supportingInformation": [{"reference": f"Task/{step['id']}"}]}


def noted(appointment: Tree, url: str) -> Any:
    """What an extension of it says: TRANSPORT or FIRST_NAME; None for nothing."""
    told_ = (one for one in appointment.get("extension", ()) if one.get("url") == url)
    return next((one.get("valueCode", one.get("valueBoolean")) for one in told_), None)


def with_noted(appointment: Tree, url: str, **value: object) -> Tree:
    """Saying so, in the place of what it said."""
    others = [one for one in appointment.get("extension", ()) if one.get("url") != url]
    return {**appointment, "extension": [*others, {"url": url, **value}]}


def attended(appointment: Tree) -> Tree:
    """They came. `done` says what becomes of their step."""
    return {**appointment, "status": "fulfilled"}


def done(session: Session, step: Tree, by: Tree, at: datetime) -> Tree:
    """Their step, done on the day of the session. One that is done or set aside already stays as it is."""
    return step if step.get("status") in OVER else complete(step, session.start.date(), by, at)


def missed(appointment: Tree) -> Tree:
    """They did not come. Their step stays, so that they are proposed for the next session."""
    return {**appointment, "status": "noshow"}


def given_up(appointment: Tree, reason: str) -> Tree:
    """They will not come, or it will not be held."""
    return {**appointment, "status": "cancelled", "cancelationReason": {"text": reason}}


def reached(goal: Tree, on: date) -> Tree:
    """The objective, reached on that day."""
    system = "http://terminology.hl7.org/CodeSystem/goal-achievement"
    coding = {"system": system, "code": "achieved", "display": "Atteint"}
    return {**goal, "achievementStatus": {"coding": [coding]}, "statusDate": on.isoformat()}


def is_reached(goal: Mapping[str, Any]) -> bool:
    return any(one.get("code") == "achieved" for one in (goal.get("achievementStatus") or {}).get("coding", ()))
