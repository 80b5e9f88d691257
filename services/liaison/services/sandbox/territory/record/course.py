"""The ordinary course of two years: consultations with their notes, nurse visits, measures, laboratory, vaccines."""

from dataclasses import dataclass
from typing import Final

from liaison.services.sandbox.territory.record import documents, encounters, observations, problems
from liaison.services.sandbox.territory.record.catalogue import PROBLEMS
from liaison.services.sandbox.territory.record.record import Record

_PLAIN: Final = (
    "Vient pour le renouvellement. État général conservé.",
    "Fatigue passagère, examen sans particularité.",
    "Renouvellement, vaccination mise à jour, pas de plainte nouvelle.",
    "A perdu son frère le mois dernier. Dort mal, pas de traitement souhaité, à revoir.",
    "Certificat pour la marche du club. Examen cardio-pulmonaire normal.",
)
_NURSE: Final = (
    "Pilulier préparé pour la semaine.",
    "Pansement refait, cicatrisation en bonne voie.",
    "Prise de sang faite à jeun, portée au laboratoire.",
    "Surveillance tension et poids, conseils de boisson rappelés.",
)


@dataclass(frozen=True, slots=True)
class Body:
    """Where the measures of a person turn around, and how far their weight moves over two years."""

    systolic: int = 132
    diastolic: int = 78
    heart_rate: int = 72
    weight: float = 72.0
    height: int = 166
    saturation: int = 0
    drift: float = 0.0


def live(record: Record, body: Body, names: tuple[str, ...], doctor: str, nurse: str, site: str = "") -> None:
    """Two years of follow-up by the attending doctor, and by a nurse when there is one."""
    random, clock = record.random, record.clock
    height = clock.at(-random.randint(690, 720), 9, 10)
    observations.vital(record, "height", body.height, height, doctor)
    for day in record.about(-715, -14, 100 if len(names) > 1 else 170, 12):
        at = clock.at(day, random.choice((9, 10, 11, 14, 16)), random.choice((0, 20, 40)))
        name = random.choice(names) if names else ""
        followed = PROBLEMS[name].display if name else ""
        reason = f"Suivi : {followed[0].lower()}{followed[1:]}" if name else "Consultation de médecine générale"
        encounter = encounters.consultation(record, at, doctor, reason, site)
        _measure(record, body, day, at.hour, doctor, encounter, weigh=not nurse)
        text = _note(record, names)
        documents.document(record, "consultation", "Note de consultation", text, at, doctor, encounter=encounter)
    if nurse:
        for day in record.about(-700, -6, 60, 8):
            at = clock.at(day, random.choice((7, 8, 17)), random.choice((15, 30, 45)))
            encounter = encounters.encounter(
                record, "HH", at, at.replace(minute=55), nurse, "Soins infirmiers à domicile"
            )
            _measure(record, body, day, at.hour, nurse, encounter, weigh=True)
            if random.random() < 0.3:
                documents.note(record, random.choice(_NURSE), at, nurse)
    _laboratory(record, names)
    for number, day in enumerate((-735, -390, -32)):
        if number or random.random() < 0.8:
            problems.vaccinate(record, "influenza", clock.day(day + random.randint(-10, 10)), nurse or doctor)


def _measure(record: Record, body: Body, day: int, hour: int, by: str, encounter: str, *, weigh: bool) -> None:
    random = record.random
    at = record.clock.at(day, hour, 50)
    observations.blood_pressure(
        record,
        round(random.gauss(body.systolic, 7)),
        round(random.gauss(body.diastolic, 5)),
        at,
        by,
        encounter,
    )
    observations.vital(record, "heart_rate", round(random.gauss(body.heart_rate, 5)), at, by, encounter)
    if weigh:
        weight = body.weight + body.drift * (day + 730) / 730 + random.gauss(0, 0.5)
        observations.vital(record, "weight", round(weight, 1), at, by, encounter)
    if body.saturation:
        observations.vital(record, "saturation", round(random.gauss(body.saturation, 0.9)), at, by, encounter)


def _note(record: Record, names: tuple[str, ...]) -> str:
    sentences = [record.random.choice(PROBLEMS[name].remarks) for name in names if PROBLEMS[name].remarks]
    record.random.shuffle(sentences)
    return "\n".join([*sentences[:2], record.random.choice(_PLAIN), "Prochain rendez-vous dans trois mois."])


def _laboratory(record: Record, names: tuple[str, ...]) -> None:
    for day in record.about(-640, -40, 200, 15):
        at = record.clock.at(day, 8, 5)
        done: set[str] = set()
        for name in names:
            for test, centre, spread in PROBLEMS[name].laboratory:
                if test not in done:
                    done.add(test)
                    digits = 2 if centre < 5 else 1 if centre < 30 else 0
                    observations.laboratory(record, test, round(record.random.gauss(centre, spread / 2), digits), at)
