"""Home help: the plan, what the aide must know, the tours, the visits that were made and what they showed."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from liaison.protocols import codes, library
from liaison.protocols.forms import READY, canonical
from liaison.protocols.visit import Visit, transaction
from liaison.services.sandbox.territory import rights
from liaison.services.sandbox.territory.clock import instant
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.shapes import Tree, coded, coding, concept, moment, period, ref

FLAG_CATEGORY: Final = "http://terminology.hl7.org/CodeSystem/flag-category"
_WORDS: Final = (
    "De bonne humeur, a raconté le marché de samedi.",
    "A parlé de son enfance à la ferme. Bonne humeur.",
    "Un peu de fatigue ce matin, repos au fauteuil après la toilette.",
    "Linge étendu, courses rangées. Rien de particulier.",
    "A regardé la pluie tomber et raconté la pêche à la Scorle.",
    "Le chauffe-eau fait du bruit, la famille est prévenue.",
    "Mange mieux quand on reste à table.",
    "A fait quelques pas dans la cour avec la canne.",
    "De la visite prévue dimanche, s'en réjouit.",
    "A demandé la date du prochain rendez-vous, notée sur le calendrier.",
    "Facteur passé, courrier ouvert ensemble.",
    "",
    "",
    "",
    "",
    "",
)


def know(record: Record, *sentences: str, by: str, since: int = -40) -> None:
    """'À savoir': sentences that a clinician or the manager wrote for those who help at home, with a review date."""
    for sentence in sentences:
        record.add(
            {
                "resourceType": "Flag",
                "status": "active",
                "category": [
                    {
                        "coding": [
                            coding(f"{codes.LOCAL}/CodeSystem/flag-category", "a-savoir", "À savoir"),
                            coding(FLAG_CATEGORY, "safety", "Sécurité"),
                        ],
                        "text": "À savoir",
                    }
                ],
                "code": {"text": sentence},
                "period": period(record.clock.day(since), record.clock.day(since + 180)),
                "author": record.who(by),
            }
        )


def help_plan(record: Record, title: str, lines: tuple[str, ...], since: int, *, form: str = "visit") -> str:
    """The home-help plan of the CCAS: what is done, which days, and what is asked at each visit."""
    asked = {} if form == "visit" else {"instantiatesCanonical": [canonical(library.shipped().tree(READY[form]))]}
    return record.add(
        {
            "resourceType": "CarePlan",
            "status": "active",
            "intent": "plan",
            "category": [
                {
                    "coding": [
                        coding(f"{codes.LOCAL}/CodeSystem/care-plan-category", "home-help", "Plan d'aide à domicile")
                    ],
                    "text": "Plan d'aide à domicile",
                }
            ],
            "title": title,
            "period": {"start": moment(record.clock.day(since))},
            "created": moment(record.clock.at(since, 14)),
            "author": record.who("home_service_manager"),
            "activity": [
                {
                    "detail": {
                        "kind": "Task",
                        **asked,
                        "status": "in-progress",
                        "description": line,
                        "performer": [record.place("home_service")],
                    }
                }
                for line in lines
            ],
        }
    )


def tour_line(
    record: Record, aide: str, start: datetime, minutes: int, what: str, *, status: str = "booked", key: str = ""
) -> str:
    """One line of a tour: who goes where, when, for what."""
    return record.add(
        {
            "resourceType": "Appointment",
            "status": status,
            "serviceCategory": [concept(text="Aide à domicile")],
            "serviceType": [coded(codes.HOME_CARE, "visit", "Visite à domicile")],
            "description": what,
            "start": instant(start),
            "end": instant(start + timedelta(minutes=minutes)),
            "created": instant(record.clock.at(-6, 15)),
            "participant": [
                {"actor": ref(record.patient, record.person.called), "status": "accepted"},
                {"actor": record.who(aide), "status": "accepted"},
            ],
        },
        key,
    )


def tour_week(record: Record, aide: str, start: datetime, minutes: int, what: str) -> None:
    """The same visit that day and the six days after, at the same hour of Paris: a sandbox that is still open the next
    morning, or after a week-end, has its tours."""
    for day in range(7):
        tour_line(record, aide, start + timedelta(days=day), minutes, what)


def visited(
    record: Record,
    aide: str,
    start: datetime,
    minutes: int,
    answers: dict[str, Any],
    *,
    appointment: str = "",
    key: str = "",
) -> list[str]:
    """A visit that was made: what the phone form would have filed, with the same code."""
    end = start + timedelta(minutes=minutes)
    teams = record.draft.resources("CareTeam")
    visit = Visit(
        id=uuid5(NAMESPACE_URL, f"{record.draft.name}/visit/{key or instant(start)}"),
        patient=record.patient,
        aide=record.who(aide),
        service=record.place("home_service"),
        answers={"start": instant(start), "end": instant(end), "presence": "present", **answers},
        recorded=end,
        appointment=appointment,
        device_time=end,
        teams=teams,
    )
    return record.draft.absorb(transaction(library.shipped(), visit))


def ordinary(record: Record, *, breath: bool = False, oxygen: bool = False, weight: float = 0.0) -> dict[str, Any]:
    """The answers of a visit with nothing to report."""
    answers: dict[str, Any] = {
        "tasks": record.random.choice(
            (
                ["get-up", "wash", "meal-served"],
                ["wash", "housework"],
                ["meal-served", "company"],
                ["shopping", "housework"],
            )
        ),
        "general": "usual",
        "meal": record.random.choices(("meal-all", "meal-half"), weights=(4, 1))[0],
        "drink": "drink-normal",
        "medicine": "medicine-yes",
        "fall": "fall-no",
        "mood": "mood-usual",
    }
    if breath:
        answers["breath"] = "breath-usual"
    if oxygen:
        answers["oxygen"] = "oxygen-worn"
    if weight:
        answers["weight"] = round(weight + record.random.uniform(-0.4, 0.4), 1)
    if words := record.random.choice(_WORDS):
        answers["note"] = words
    return answers


def history(record: Record, aide: str, days: int, step: int, hour: int, **kinds: Any) -> None:
    """The ordinary visits of the last weeks, every `step` days at about that hour."""
    for day in range(-days, 0, step):
        start = record.clock.at(day, hour, record.random.choice((0, 10, 15, 30)))
        visited(record, aide, start, record.random.choice((30, 45, 60)), ordinary(record, **kinds))


def message(
    record: Record, text: str, at: datetime, by: str, *, to_service: bool = True, to: str = "", key: str = ""
) -> str:
    """A note of the shared thread, addressed to the home service or to one person."""
    recipient = record.who(to) if to else record.place("home_service") if to_service else None
    tree: Tree = {
        "resourceType": "Communication",
        "status": "completed",
        "category": [{"coding": [coding(codes.HOME_CARE, "instruction", "Consigne")], "text": "Consigne"}],
        "sent": instant(at),
        "sender": record.who(by),
        "payload": [{"contentString": text}],
    }
    if recipient:
        tree["recipient"] = [recipient]
    return record.add(tree, key)


def third_party(record: Record, text: str, at: datetime, by: str) -> str:
    """What a relative said in confidence: never shown to the person (CSP L.1111-7)."""
    tree: Tree = {
        "resourceType": "Communication",
        "meta": {"security": [rights.THIRD_PARTY]},
        "status": "completed",
        "category": [
            {"coding": [coding(codes.HOME_CARE, "visit-note", "Note de visite")], "text": "Confié par un proche"}
        ],
        "sent": instant(at),
        "sender": record.who(by),
        "payload": [{"contentString": text}],
    }
    return record.add(tree)
