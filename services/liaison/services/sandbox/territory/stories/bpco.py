"""Twelve people in BPCO care, each at another stage."""

from typing import Final

from liaison.services.sandbox.territory import sessions
from liaison.services.sandbox.territory.record import (
    bpco,
    consents,
    documents,
    encounters,
    notebook,
    observations,
    problems,
)
from liaison.services.sandbox.territory.record.catalogue import Drug
from liaison.services.sandbox.territory.record.course import Body
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.stories import bpco_home
from liaison.services.sandbox.territory.stories.story import Story

TIOTROPIUM: Final = Drug("Tiotropium 2,5 µg, solution pour inhalation", "R03BB04", "2 bouffées le matin")
DUAL: Final = Drug("Tiotropium et olodatérol 2,5/2,5 µg, solution pour inhalation", "R03AL06", "2 bouffées le matin")
TRIPLE: Final = Drug(
    "Béclométasone, formotérol, glycopyrronium 87/5/9 µg, suspension pour inhalation",
    "R03AL09",
    "2 bouffées matin et soir",
)
RESCUE: Final = Drug(
    "Salbutamol 100 µg, suspension pour inhalation", "R03AC02", "1 à 2 bouffées en cas de gêne, avec une chambre"
)
NICOTINE: Final = Drug(
    "Nicotine 21 mg/24 h, dispositif transdermique", "N07BA01", "1 dispositif le matin, dose à revoir à 6 semaines"
)


def diagnosed(record: Record, since: int, percent: int, ratio: float, *drugs: Drug, smoking: str, by: str = "") -> str:
    """The condition confirmed by spirometry, its treatment, tobacco. Returns the Condition."""
    doctor = by or _attending(record)
    at = record.clock.at(since, 10, 20)
    bpco.spirometry(record, at, percent, ratio)
    condition = problems.condition(
        record, "J44.9", "Bronchopneumopathie chronique obstructive (BPCO)", at.date(), doctor, key="bpco"
    )
    for drug in (*drugs, RESCUE):
        problems.prescribe(record, drug, record.clock.day(-record.random.randint(15, 60)), doctor, condition)
    bpco.smoking(record, at, smoking, doctor)
    problems.vaccinate(record, "pneumococcus", record.clock.day(since + 40), "nurse")
    return condition


def scores(record: Record, by: str, *course: tuple[int, int, int]) -> None:
    """(day, mMRC, CAT) as they were taken over time."""
    for day, degree, total in course:
        at = record.clock.at(day, 14, 30)
        bpco.breathlessness(record, at, degree, by)
        bpco.cat(record, at, total, by)


def _attending(record: Record) -> str:
    return next(story.attending for story in STORIES if story.key == record.key)


def _suspected(record: Record) -> None:
    condition = problems.condition(
        record,
        "J44.9",
        "Bronchopneumopathie chronique obstructive (BPCO), suspicion",
        record.clock.day(-18),
        "gp",
        verified=False,
        note="Toux matinale, essoufflement en montant. 42 paquets-années. Spirométrie demandée.",
        key="bpco",
    )
    bpco.smoking(record, record.clock.at(-18, 10), "smoker", "gp")
    scores(record, "gp", (-18, 1, 12))
    bpco.plan(record, bpco.FOLLOW_UP, -17, "gp", condition=condition)


def _new(record: Record) -> None:
    condition = diagnosed(record, -75, 64, 0.61, TIOTROPIUM, NICOTINE, smoking="smoker")
    scores(record, "nurse", (-70, 1, 14), (-8, 1, 11))
    bpco.plan(record, bpco.FOLLOW_UP, -68, "gp", condition=condition)
    documents.note(
        record,
        "Entretien tabac : passé de 18 à 6 cigarettes par jour. Motivé, craint la prise de poids. Revu dans un mois.",
        record.clock.at(-8, 15),
        "nurse",
    )


def _education_late(record: Record) -> None:
    condition = diagnosed(record, -420, 57, 0.58, DUAL, smoking="ex-smoker")
    scores(record, "nurse", (-410, 2, 22), (-230, 2, 20), (-62, 2, 18))
    bpco.spirometry(record, record.clock.at(-60, 10), 55, 0.57)
    bpco.plan(record, bpco.FOLLOW_UP, -400, "gp", condition=condition)
    _enter_education(record, -92)
    bpco.plan(record, bpco.EDUCATION, -90, "coordinator", open_steps=frozenset({"session-2"}), until=-5)
    bpco.assessment(record, record.clock.at(-72, 14), "coordinator", _ASSESSMENT)
    documents.note(
        record,
        "Absent à l'atelier 2 (panne de voiture). Transport par le CCAS à proposer pour la prochaine date.",
        record.clock.at(-12, 17),
        "coordinator",
    )
    bpco_home.every_other_day(record, "aide", 72.5)


def _worse_today(record: Record) -> None:
    condition = diagnosed(record, -900, 38, 0.47, TRIPLE, smoking="ex-smoker")
    bpco.spirometry(record, record.clock.at(-250, 10), 36, 0.45)
    scores(record, "nurse", (-700, 2, 21), (-480, 3, 24), (-245, 3, 27), (-40, 3, 29))
    bpco.exacerbations(record, record.clock.at(-40, 14), 2, "gp")
    _past_stay(record, -205, -197, "Exacerbation de BPCO, surinfection bronchique")
    bpco.plan(record, bpco.AFTER_STAY, -196, "gp", condition=condition)
    bpco.plan(record, bpco.FOLLOW_UP, -190, "gp", condition=condition)
    bpco_home.alert_twenty_minutes_ago(record)
    notebook.shared_with_the_relative(record)


def _in_hospital(record: Record) -> None:
    condition = diagnosed(record, -1100, 41, 0.49, TRIPLE, smoking="smoker")
    bpco.spirometry(record, record.clock.at(-300, 9, 40), 39, 0.48)
    scores(record, "nurse", (-600, 2, 23), (-290, 3, 26), (-95, 3, 28))
    bpco.exacerbations(record, record.clock.at(-95, 14), 1, "gp")
    bpco.plan(record, bpco.FOLLOW_UP, -280, "gp", condition=condition)
    clock = record.clock
    start = clock.at(-3, 15, 40)
    stay = encounters.encounter(
        record,
        "IMP",
        start,
        None,
        "hospital_doctor",
        "Exacerbation de BPCO avec hypercapnie modérée",
        service=record.place("hospital_pneumology"),
        site="site_pneumology",
        key="stay",
    )
    for day, hour, rate, saturation, temperature in (
        (-3, 16, 28, 86, 38.2),
        (-2, 8, 24, 89, 37.8),
        (-1, 8, 21, 91, 37.1),
    ):
        at = clock.at(day, hour)
        observations.vital(record, "respiratory_rate", rate, at, "hospital_doctor", stay)
        observations.vital(record, "saturation", saturation, at, "hospital_doctor", stay)
        observations.vital(record, "temperature", temperature, at, "hospital_doctor", stay)
    observations.laboratory(record, "pao2", 54, clock.at(-3, 16, 20))
    observations.laboratory(record, "paco2", 51, clock.at(-3, 16, 20))
    documents.document(
        record,
        "consultation",
        "Note d'entrée",
        "Adressé par son médecin traitant pour dyspnée croissante depuis quatre jours, crachats verts, fièvre à 38,2.\n"
        "SpO2 86 % en air ambiant. Aérosols, antibiotique, corticothérapie courte, oxygène 1 L/min.\n"
        "Vit seul, aide à domicile trois fois par semaine. Sortie envisagée en fin de semaine, lettre de liaison à suivre.",
        clock.at(-3, 18, 30),
        "hospital_doctor",
        encounter=stay,
    )


def _oxygen(record: Record) -> None:
    condition = diagnosed(record, -1500, 27, 0.39, TRIPLE, smoking="ex-smoker")
    bpco.spirometry(record, record.clock.at(-210, 9), 25, 0.37)
    scores(record, "nurse", (-640, 3, 28), (-400, 4, 30), (-205, 4, 32), (-28, 4, 33))
    bpco.oxygen(record, record.clock.day(-400), 1.5)
    for day in (-415, -398):
        observations.laboratory(record, "pao2", 53 + record.random.randint(-1, 1), record.clock.at(day, 9))
    bpco.plan(record, bpco.FOLLOW_UP, -390, "gp", condition=condition)
    bpco_home.oxygen_at_home(record)


def _back_home(record: Record) -> None:
    condition = diagnosed(record, -800, 44, 0.5, TRIPLE, smoking="ex-smoker", by="gp_replaced")
    problems.prescribe(record, DUAL, record.clock.day(-310), "gp_replaced", condition, status="stopped")
    scores(record, "nurse_colleague", (-500, 2, 22), (-180, 2, 24), (-60, 3, 26))
    bpco.plan(record, bpco.FOLLOW_UP, -320, "gp_replaced", condition=condition)
    _past_stay(record, -13, -5, "Exacerbation de BPCO")
    bpco.plan(record, bpco.AFTER_STAY, -4, "gp_replaced", condition=condition)
    bpco_home.after_discharge(record)


def _rehabilitation(record: Record) -> None:
    condition = diagnosed(record, -610, 48, 0.52, DUAL, smoking="ex-smoker")
    bpco.spirometry(record, record.clock.at(-200, 9), 49, 0.53)
    scores(record, "physio", (-190, 3, 25), (-95, 2, 22), (-20, 2, 19))
    bpco.plan(record, bpco.FOLLOW_UP, -195, "gp", condition=condition, done={"rehabilitation": -130})
    for number, day in enumerate(range(-120, -2, 10), 1):
        at = record.clock.at(day, 16)
        encounters.encounter(record, "AMB", at, at.replace(minute=45), "physio", "Réadaptation respiratoire")
        if number % 4 == 1:
            distance = 290 + 8 * number
            documents.document(
                record,
                "consultation",
                f"Réadaptation respiratoire, séance {number}",
                f"Séance {number} sur 20. Vélo 20 minutes, renforcement des cuisses, désencombrement.\n"
                f"Test de marche de 6 minutes : {distance} m. Essoufflement de fin d'effort 4 sur 10.",
                at,
                "physio",
            )
    sessions.on_the_list(record, first_name=False)


def _late_spirometry(record: Record) -> None:
    condition = diagnosed(record, -431, 84, 0.66, TIOTROPIUM, smoking="ex-smoker", by="gp_replaced")
    scores(record, "nurse_colleague", (-425, 1, 9), (-240, 1, 8))
    bpco.plan(
        record,
        bpco.FOLLOW_UP,
        -420,
        "gp_replaced",
        condition=condition,
        open_steps=frozenset({"spirometry-yearly"}),
    )


def _educated(record: Record) -> None:
    condition = diagnosed(record, -700, 62, 0.6, DUAL, smoking="ex-smoker")
    bpco.spirometry(record, record.clock.at(-160, 9), 63, 0.61)
    scores(record, "nurse", (-690, 2, 21), (-430, 2, 18), (-260, 1, 14), (-45, 1, 12))
    bpco.plan(record, bpco.FOLLOW_UP, -680, "gp", condition=condition)
    _enter_education(record, -430)
    bpco.plan(record, bpco.EDUCATION, -425, "coordinator")
    bpco.assessment(record, record.clock.at(-405, 14), "coordinator", _ASSESSMENT)
    for urn, tree in list(record.draft.entries.items()):
        if tree["resourceType"] == "Goal" and "souffle" not in str(tree["description"]["text"]):
            record.draft.entries[urn] = {**tree, "lifecycleStatus": "completed", "achievementStatus": _ACHIEVED}
    documents.document(
        record,
        "letter",
        "Synthèse du programme d'éducation thérapeutique",
        "Programme suivi en entier, cinq ateliers.\nObjectifs atteints : reconnaît une exacerbation, utilise son plan "
        "d'action (une fois en mars, sans hospitalisation), marche 40 minutes trois fois par semaine.\n"
        "À maintenir : technique de l'inhalateur, à revoir avec le pharmacien.",
        record.clock.at(-255, 11),
        "coordinator",
    )
    sessions.on_the_list(record, first_name=True)


def _to_include(record: Record) -> None:
    condition = diagnosed(record, -150, 52, 0.55, TIOTROPIUM, smoking="smoker", by="gp_outside")
    scores(record, "gp_outside", (-145, 2, 19), (-20, 2, 20))
    bpco.plan(record, bpco.FOLLOW_UP, -140, "gp_outside", condition=condition)
    documents.note(
        record,
        "Proposition du programme d'éducation thérapeutique. Veut en parler à sa femme, réponse à la prochaine visite.",
        record.clock.at(-20, 10, 30),
        "gp_outside",
        kind="DEM-AVIS",
    )


def _moved(record: Record) -> None:
    condition = diagnosed(record, -540, 58, 0.59, DUAL, smoking="ex-smoker")
    scores(record, "nurse", (-530, 2, 17), (-300, 2, 16))
    bpco.plan(
        record,
        bpco.FOLLOW_UP,
        -520,
        "gp",
        condition=condition,
        excused={"rehabilitation": "A refusé : trop loin du domicile"},
    )
    _enter_education(record, -300)
    bpco.plan(
        record,
        bpco.EDUCATION,
        -295,
        "coordinator",
        excused=dict.fromkeys(
            ("session-3", "session-4", "session-5", "evaluation", "follow-up"),
            "Sortie du programme à la demande de la personne",
        ),
    )


def _enter_education(record: Record, day: int) -> None:
    consents.consent(
        record,
        "etp",
        record.clock.at(day, 15),
        "coordinator",
        means="paper",
        note="Programme « Mieux respirer au quotidien » déclaré à l'ARS",
    )


def _past_stay(record: Record, start: int, end: int, reason: str) -> None:
    clock = record.clock
    stay = encounters.encounter(
        record,
        "IMP",
        clock.at(start, 16),
        clock.at(end, 11),
        "pneumologist",
        reason,
        service=record.place("hospital_pneumology"),
        site="site_pneumology",
    )
    documents.document(
        record,
        "discharge",
        "Lettre de liaison à la sortie",
        f"Hospitalisation de {end - start} jours pour {reason[0].lower()}{reason[1:]}.\n"
        "Évolution favorable sous aérosols, antibiotique et corticoïdes oraux (5 jours).\n"
        "Traitement de sortie : trithérapie inhalée, technique revue. Vaccins à jour.\n"
        "À prévoir : réévaluation dans les 7 jours, pneumologue dans les 2 mois, réadaptation respiratoire.",
        clock.at(end, 11, 30),
        "pneumologist",
        encounter=stay,
    )


_ACHIEVED: Final = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/goal-achievement", "code": "achieved", "display": "Atteint"}
    ]
}
_ASSESSMENT: Final = {
    "biomedicale.dire": "Mes bronches sont abîmées par le tabac et la poussière de l'atelier, l'air ne sort plus bien.",
    "biomedicale.traitement": "Le matin deux bouffées. Le bleu quand je suis pris, surtout en montant du garage.",
    "biomedicale.technique": "À reprendre",
    "biomedicale.exacerbations": "J'ai attendu trois jours avant d'appeler. Je croyais que c'était un rhume.",
    "psychoaffective.vecu": "Ne plus aller à la pêche avec mon petit-fils. Et la nuit, la peur de manquer d'air.",
    "psychoaffective.projet": "Remonter la côte jusqu'à la chapelle pour le pardon d'août.",
    "psychoaffective.confiance": 5,
    "socioprofessionnelle.entourage": "Ma fille le week-end, l'aide du CCAS pour le ménage.",
    "socioprofessionnelle.activite": "Le jardin le matin, la télévision l'après-midi.",
    "socioprofessionnelle.logement": "Maison chauffée au bois, chambre à l'étage.",
    "cognitive.lecture": "À l'aise",
    "cognitive.preference": "En groupe, pour entendre les autres.",
    "objectifs": [
        "Appeler dès le deuxième jour quand le souffle change",
        "Marcher vingt minutes, trois fois par semaine",
    ],
}

_ESSENTIAL = ("nurse", "pharmacist", "pneumologist", "coordinator")
STORIES: Final[tuple[Story, ...]] = (
    Story("bpco_01", 58, "male", "K", "gp", ("pharmacist", "coordinator"), ("hypertension",), Body(138, 84, weight=84, height=176),
          given="Alain", family="Rivalain", relative="wife", tell=_suspected,
          special="BPCO suspectée : diagnostic provisoire, spirométrie de confirmation demandée"),
    Story("bpco_02", 61, "female", "K", "gp", _ESSENTIAL, (), Body(128, 76, weight=58, height=161, saturation=96),
          "nurse", given="Chantal", family="Le Moing", relative="husband", tell=_new,
          special="BPCO récente, grade 2, aide à l'arrêt du tabac en cours"),
    Story("bpco_03", 69, "male", "K", "gp", (*_ESSENTIAL, "physio", "home_service"), ("hypertension",),
          Body(134, 78, weight=72.5, height=171, saturation=94), "nurse", given="Marcel", family="Cadic",
          relative="daughter", tell=_education_late,
          special="Programme d'éducation thérapeutique en cours, atelier 2 en retard ; aide à domicile"),
    Story("bpco_04", 76, "female", "K", "gp", (*_ESSENTIAL, "physio", "home_service", "home_service_manager"),
          ("heart_failure",), Body(126, 72, 84, weight=61, height=158, saturation=91, drift=-3), "nurse",
          given="Jeannine", family="Le Floch", used="Robic", relative="son", allergy=0, tell=_worse_today,
          special="Alerte de l'aide il y a 20 minutes : plus essoufflée que d'habitude"),
    Story("bpco_05", 71, "male", "N", "gp", ("nurse", "pharmacist", "pneumologist", "coordinator", "home_service"), ("diabetes",),
          Body(136, 80, 88, weight=78, height=174, saturation=91), "nurse", given="Gérard", family="Burel",
          tell=_in_hospital, special="Hospitalisé en pneumologie depuis trois jours : le séjour ouvre le dossier au médecin hospitalier"),
    Story("bpco_06", 79, "male", "K", "gp", (*_ESSENTIAL, "home_service", "home_service_manager", "social_worker"),
          ("fibrillation",), Body(122, 70, 90, weight=55, height=169, saturation=90, drift=-4), "nurse",
          given="René", family="Evanno", relative="wife", tell=_oxygen,
          special="BPCO grade 4, oxygène à domicile, deux passages par jour"),
    Story("bpco_07", 73, "female", "N", "gp_replaced", ("nurse_colleague", "pharmacist", "pneumologist", "coordinator",
                                                        "home_service"),
          ("hypertension", "osteoporosis"), Body(140, 78, 82, weight=64, height=160, saturation=93), "nurse_colleague",
          given="Annick", family="Guégan", used="Lorho", relative="daughter", tell=_back_home,
          special="Sortie de l'hôpital il y a cinq jours : réévaluation dans les 7 jours à faire"),
    Story("bpco_08", 66, "male", "L", "gp", ("nurse", "pharmacist", "pneumologist", "physio", "coordinator"), (),
          Body(132, 80, weight=81, height=175, saturation=94), given="Jean-Yves", family="Danielo", relative="wife",
          tell=_rehabilitation, special="Réadaptation respiratoire en cours chez le kinésithérapeute, CAT en baisse"),
    Story("bpco_09", 64, "female", "N", "gp_replaced", ("nurse_colleague", "pharmacist", "coordinator"),
          ("hypothyroidism",), Body(124, 74, weight=66, height=163, saturation=97), given="Nicole", family="Jouan",
          relative="husband", tell=_late_spirometry, special="BPCO grade 1 stable, spirométrie annuelle en retard"),
    Story("patient_a", 67, "male", "K", "gp", (*_ESSENTIAL, "physio"), ("osteoarthritis",),
          Body(130, 76, weight=79, height=173, saturation=95), "nurse", given="Loïc", family="Kervadec", relative="wife",
          tell=_educated, special="Programme d'éducation terminé, objectifs atteints ; a un compte patient"),
    Story("bpco_11", 59, "male", "L", "gp_outside", ("coordinator", "pharmacist"), (), Body(135, 82, weight=88, height=178),
          given="Patrick", family="Gicquel", relative="wife", tell=_to_include,
          special="Programme d'éducation proposé, pas encore d'accord ; suivi par un médecin hors de la maison de santé"),
    Story("bpco_12", 70, "female", "K", "gp", _ESSENTIAL, ("osteoarthritis",), Body(129, 77, weight=69, height=159),
          "nurse", given="Monique", family="Conan", used="Huet", relative="daughter", tell=_moved,
          special="Sortie du programme à sa demande : étapes excusées avec leur motif"),
)  # fmt: skip
