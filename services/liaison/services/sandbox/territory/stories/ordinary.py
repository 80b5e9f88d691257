"""Ordinary patients, drawn from the seed, as many as asked."""

from random import Random
from typing import Final

from liaison.services.sandbox.territory.record import home_care
from liaison.services.sandbox.territory.record.course import Body
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.stories.story import Story

_PROBLEMS: Final = (
    "hypertension",
    "diabetes",
    "osteoarthritis",
    "hypothyroidism",
    "fibrillation",
    "renal",
    "stroke",
    "asthma",
)
_OLD: Final = ("hypertension", "heart_failure", "fibrillation", "osteoporosis", "stroke", "renal", "osteoarthritis")


def stories(seed: int, number: int, first: int) -> list[Story]:
    """`number` of them, keyed by their rank from `first`. One in three is over 75, one in six has home help."""
    return [_story(Random(f"{seed}/ordinary/{rank}"), rank) for rank in range(first, first + number)]


def _story(random: Random, rank: int) -> Story:
    old = random.random() < 0.35
    age = random.randint(76, 93) if old else random.choice((random.randint(22, 59), random.randint(60, 75)))
    sex = random.choice(("female", "male"))
    attending = random.choices(("gp", "gp_replaced", "gp_outside"), weights=(5, 4, 2))[0]
    nurse = {"gp": "nurse", "gp_replaced": "nurse_colleague", "gp_outside": ""}[attending] if age > 58 else ""
    helped = old and random.random() < 0.5
    team = [key for key in (nurse, "pharmacist" if random.random() < 0.7 else "") if key]
    if random.random() < 0.15:
        team.append("physio")
    if helped:
        team += ["home_service", "home_service_manager"]
    pool = _OLD if old else _PROBLEMS
    problems = tuple(random.sample(pool, k=random.choice((1, 2, 2, 3)) if age > 45 else random.choice((0, 0, 1))))
    height = random.randint(152, 168) if sex == "female" else random.randint(164, 184)
    body = Body(
        random.randint(116, 148),
        random.randint(70, 86),
        random.randint(62, 84),
        round(height * height / 10000 * random.uniform(21, 31), 1),
        height,
        drift=random.uniform(-3, 3),
    )
    return Story(
        f"patient_{rank:02d}",
        age,
        sex,
        {"gp": "K", "gp_replaced": "N", "gp_outside": "L"}[attending],
        attending,
        tuple(team),
        problems,
        body,
        nurse,
        relative=random.choice(("daughter", "son", "neighbour", "wife" if sex == "male" else "husband"))
        if age > 60
        else "",
        status=random.choices(("QUAL", "VALI", "RECUP"), weights=(9, 1, 1))[0],
        special="Aide à domicile" if helped else "",
        tell=_helped if helped else None,
    )


def _helped(record: Record) -> None:
    aide = record.random.choice(("aide", "aide2", "aide2"))
    helped = record.random.choice(("Toilette, deux matins", "Repas de midi, trois jours"))
    home_care.help_plan(
        record,
        "Aide à domicile, 4 h par semaine",
        (helped, "Ménage et linge, vendredi"),
        -record.random.randint(100, 600),
        form="visit-short" if helped.startswith("Repas") else "visit",
    )
    home_care.know(
        record,
        record.random.choice(
            (
                "Malentendant : parler en face, sonner deux fois.",
                "Clé chez la voisine de droite. Chien gentil, fermer le portail.",
                "Risque de chute : marcher à côté, jamais devant.",
                "Diabète : ne pas sauter le goûter.",
                "Boit peu : poser un verre d'eau à portée, à chaque passage.",
            )
        ),
        by="home_service_manager",
    )
    hour = record.random.choice((10, 11, 13, 15))
    home_care.history(record, aide, 15, 4, hour)
    home_care.tour_week(
        record,
        aide,
        record.clock.at(0, hour, 45),
        45,
        record.random.choice(("Repas de midi", "Toilette, ménage", "Courses")),
    )
