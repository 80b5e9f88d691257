"""Those whose record shows a rule at work: oppositions, masking, psychiatry, sensitive data, guardianship, emergency…"""

from datetime import timedelta
from typing import Final

from liaison.services.sandbox.territory import identity, places, rights, systems
from liaison.services.sandbox.territory.clock import instant
from liaison.services.sandbox.territory.record import consents, documents, encounters, home_care, observations, platform
from liaison.services.sandbox.territory.record.course import Body
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.record.team import Member, care_team
from liaison.services.sandbox.territory.shapes import coding, concept, moment, ref
from liaison.services.sandbox.territory.stories.story import Story


def _opposes_nurse(record: Record) -> None:
    consents.consent(
        record,
        "opposition",
        record.clock.at(-48, 10, 15),
        "gp",
        actors=(ref(record.directory["person/nurse"], "Maëlle Tanguy"),),
        note="Ne souhaite pas que Mme Tanguy, sa nièce par alliance, lise son dossier",
        key="opposition",
    )


def _masked(record: Record) -> None:
    letter = documents.document(
        record,
        "letter",
        "Compte rendu d'une consultation à Rennes",
        "Consultation spécialisée à la demande du patient. Compte rendu adressé au médecin traitant.",
        record.clock.at(-260, 16),
        "gp",
    )
    consents.consent(
        record,
        "masking",
        record.clock.at(-255, 9, 30),
        "gp",
        means="paper",
        items=(letter,),
        note="Masqué à la demande de la personne ; reste visible de l'auteur et du médecin traitant",
    )
    documents.note(
        record,
        "Dit ne pas vouloir que son fils soit prévenu.",
        record.clock.at(-30, 11),
        "gp",
        labels=[coding(systems.VISIBILITY, "MASQUE_PS", "Masqué aux professionnels")],
    )


def _psychiatry(record: Record) -> None:
    clock = record.clock
    care_team(record, (Member("psychiatrist", -650), Member("psychiatric_nurse", -650), Member("gp", -650)), "psychiatrist",
              kind="mental-health")  # fmt: skip
    service = record.place("hospital_psychiatry")
    for number, day in enumerate(record.about(-640, -12, 62, 5)):
        at = clock.at(day, 14, 30)
        visit = encounters.encounter(
            record, "AMB", at, at + timedelta(minutes=30), "psychiatrist", "Consultation de suivi au CMP", service=service,
            site="site_psychiatry", labels=[rights.PSYCHIATRY],
        )  # fmt: skip
        if number % 2 == 0:
            documents.document(
                record,
                "psychiatry",
                "Consultation au CMP",
                "Contact bon, propos cohérents. Traitement retard fait ce jour par l'infirmière du CMP.\n"
                "Travaille à l'atelier trois demi-journées. Sommeil conservé. Prochain rendez-vous dans un mois.",
                at,
                "psychiatrist",
                encounter=visit,
                labels=[rights.PSYCHIATRY],
            )
    record.add(
        {
            "resourceType": "CarePlan",
            "meta": {"security": [rights.PSYCHIATRY]},
            "status": "active",
            "intent": "plan",
            "title": "Plan de prévention partagé",
            "description": "Signes qui annoncent une rechute, ce qui m'aide, qui appeler. Écrit avec la personne.",
            "period": {"start": moment(clock.day(-200))},
            "author": record.who("psychiatrist"),
            "activity": [
                {"detail": {"status": "in-progress", "description": "Si je ne dors plus deux nuits : appeler le CMP"}},
                {"detail": {"status": "in-progress", "description": "Personne à prévenir : ma sœur"}},
            ],
        }
    )


def _sensitive(record: Record) -> None:
    documents.document(
        record,
        "consultation",
        "Consultation de suivi",
        "Charge virale indétectable, lymphocytes CD4 stables. Traitement bien toléré. Contrôle dans six mois.",
        record.clock.at(-80, 10),
        "gp",
        labels=[rights.SENSITIVE],
    )


def _guarded(record: Record) -> None:
    clock = record.clock
    guardian = identity.relative(
        record.patient, "Maho", "Sylvain", "male", coding(systems.ROLE_CODE, "SON", "Fils"), places.mobile(5500),
        (coding(systems.ROLE_CLASS, "GUARD", "Représentant légal"),), 900,
    )  # fmt: skip
    guardian.pop("patient")
    guardian["extension"] = [rights.representation("tutelle", record.who("gp"), clock.day(-420))]
    guardian["period"] = {"start": moment(clock.day(-430)), "end": moment(clock.day(1395))}
    record.add(guardian, "guardian")
    home_care.help_plan(
        record,
        "Aide à domicile, 9 h par semaine",
        ("Toilette et repas, six matins", "Présence, mardi après-midi"),
        -400,
    )
    home_care.know(
        record,
        "Désorientée dans le temps : se présenter à chaque visite, une consigne à la fois.",
        "Risque de chute : tapis retirés, chaussons fermés, déambulateur près du lit.",
        "Gaz coupé au compteur par la famille, ne pas le rouvrir.",
        by="home_service_manager",
    )
    home_care.history(record, "aide2", 20, 3, 9)
    home_care.third_party(
        record,
        "Le fils confie qu'il ne dort plus et qu'il pense à une entrée en établissement ; il ne veut pas qu'elle le sache.",
        clock.at(-15, 17, 45),
        "social_worker",
    )
    documents.document(
        record,
        "social",
        "Évaluation sociale",
        "Vit seule, fils à 40 km présent le week-end, tuteur. APA GIR 3 accordée. Aidant fatigué : accueil de jour proposé "
        "deux jours par semaine, visite prévue.",
        clock.at(-60, 15),
        "social_worker",
        labels=[rights.SOCIAL],
    )
    observations.finding(
        record,
        concept(
            coding("https://smt.esante.gouv.fr/fhir/CodeSystem/terminologie-cisis", "MED-341", "GIR-3"),
            text="Groupe iso-ressources (AGGIR)",
        ),
        clock.at(-62, 15),
        "social_worker",
        answer=concept(text="GIR 3"),
    )
    today = clock.at(0, 9, 30)
    home_care.tour_week(record, "aide2", today, 60, "Toilette, petit-déjeuner, marche dans le couloir")


def _objects_emergency(record: Record) -> None:
    consents.consent(
        record,
        "emergency-objection",
        record.clock.at(-300, 10),
        "gp",
        means="paper",
        note="Refus exprès d'un accès à son dossier en urgence",
    )


def _patient_b(record: Record) -> None:
    consents.consent(
        record,
        "sharing",
        record.clock.at(-90, 9, 20),
        "gp",
        means="digital",
        actors=(record.who("physio"),),
        classes=("ADM", "CLIN"),
        note="Pour ses séances de kinésithérapie, hors de l'équipe",
    )
    documents.document(
        record,
        "imaging",
        "IRM du rachis lombaire",
        "Discopathie L5-S1 sans conflit radiculaire. Pas de fracture ni de lésion suspecte.",
        record.clock.at(-110, 15),
        "gp",
    )


def _heart(record: Record) -> None:
    home_care.help_plan(
        record, "Aide à domicile, 6 h par semaine", ("Lever, pesée, petit-déjeuner, tous les matins",), -300
    )
    home_care.know(
        record,
        "Peser chaque matin, à jeun, avant l'habillage. Prévenir si 2 kg de plus en 3 jours.",
        "Régime peu salé : pas de charcuterie ni de plats tout prêts.",
        by="nurse",
    )
    home_care.history(record, "aide", 16, 2, 8, breath=True, weight=record.random.choice((74.2, 74.6)))
    clock = record.clock
    platform.ended_call(
        record,
        clock.at(-2, 20, 40),
        11,
        "Sa fille le trouve plus essoufflé depuis le dîner.",
        "Vu avec le médecin régulateur : pas de signe de gravité au téléphone. Pesée demain matin, rappeler si cela augmente.",
        "gp",
    )
    # Not yet recorded, whatever the hour: this is the visit that the aide's sheet gives to try.
    home_care.tour_week(record, "aide", clock.at(0, 8), 30, "Lever, pesée, petit-déjeuner")


def _crisis(record: Record) -> None:
    care_team(
        record, (Member("psychiatrist", -200), Member("psychiatric_nurse", -200)), "psychiatrist", kind="mental-health"
    )
    documents.document(
        record,
        "psychiatry",
        "Première consultation au CMP",
        "Épisode dépressif après un deuil. Idées noires sans projet. Accord pour un suivi rapproché et un traitement.\n"
        "Lien avec le médecin traitant à chaque étape.",
        record.clock.at(-190, 11),
        "psychiatrist",
        labels=[rights.PSYCHIATRY],
    )


def _referral(record: Record) -> None:
    """An accepted referral to the pneumologist: a temporary need, dated."""
    clock = record.clock
    request = record.add(
        {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "code": {"text": "Avis de pneumologie"},
            "authoredOn": instant(clock.at(-9, 12)),
            "requester": record.who("gp_outside"),
            "performer": [record.who("pneumologist")],
            "reasonCode": [{"text": "Nodule pulmonaire de 7 mm découvert au scanner"}],
        }
    )
    record.add(
        {
            "resourceType": "Task",
            "status": "accepted",
            "intent": "order",
            "code": {"text": "Demande d'avis"},
            "description": "Consultation avancée à la maison de santé",
            "focus": ref(request),
            "authoredOn": instant(clock.at(-9, 12)),
            "lastModified": instant(clock.at(-8, 9)),
            "requester": record.who("gp_outside"),
            "owner": record.who("pneumologist"),
            "restriction": {"period": {"start": moment(clock.day(-8)), "end": moment(clock.day(21))}},
        }
    )


_TEAM: Final = ("nurse", "pharmacist")
STORIES: Final[tuple[Story, ...]] = (
    Story("opposed_nurse", 81, "female", "K", "gp", ("nurse", "nurse_colleague", "pharmacist", "physio"),
          ("hypertension", "osteoporosis"), Body(142, 80, weight=56, height=155), "nurse_colleague", given="Yvonne",
          family="Tréhin", used="Moisan", relative="neighbour", tell=_opposes_nurse,
          special="S'oppose à ce que l'infirmière Maëlle Tanguy voie son dossier"),
    Story("masked", 55, "male", "K", "gp", _TEAM, ("hypertension", "diabetes"), Body(136, 84, weight=93, height=177),
          "nurse", given="Hervé", family="Marchand", relative="wife", tell=_masked,
          special="Deux éléments masqués, visibles du seul médecin traitant (leur auteur)"),
    Story("psychiatry", 42, "male", "L", "gp", ("psychiatrist", "psychiatric_nurse", "pharmacist"), ("schizophrenia",),
          Body(124, 78, weight=86, height=180), given="Stéphane", family="Colin", relative="mother", tell=_psychiatry,
          special="Suivi au CMP : la psychiatrie n'est lue que de l'équipe de santé mentale"),
    Story("crisis", 37, "female", "L", "gp_outside", ("psychiatrist", "psychiatric_nurse"), ("depression",),
          Body(118, 72, weight=61, height=167), given="Karine", family="Lemaire", relative="husband", tell=_crisis,
          special="Équipe de santé mentale sans le médecin traitant"),
    Story("sensitive", 51, "male", "L", "gp", ("pharmacist", "nurse"), ("hiv", "hypertension"),
          Body(128, 80, weight=74, height=174), given="Laurent", family="Fontaine", tell=_sensitive,
          special="Données sensibles : lues des médecins de l'équipe seulement"),
    Story("abstinent", 57, "male", "N", "gp_replaced", ("nurse_colleague", "pharmacist", "social_worker"),
          ("alcohol", "hypertension"), Body(134, 82, weight=70, height=172), "nurse_colleague", given="Joël",
          family="Kerbrat", special="Addiction en cours de soin : donnée sensible ; du nom de son médecin"),
    Story("guarded", 86, "female", "K", "gp", ("nurse", "pharmacist", "home_service", "home_service_manager",
                                               "social_worker", "coordinator"),
          ("alzheimer", "hypertension", "osteoporosis"), Body(144, 76, weight=52, height=153, drift=-3), "nurse",
          given="Odette", family="Pasco", used="Maho", tell=_guarded,
          special="Sous tutelle : le fils, tuteur, a un compte ; une note de tiers lui reste cachée"),
    Story("patient_b", 44, "female", "L", "gp", ("pharmacist",), ("pain",), Body(118, 72, weight=63, height=168),
          given="Sandrine", family="Benali", relative="husband", tell=_patient_b,
          special="A un compte patient ; a consenti au partage avec le kinésithérapeute hors équipe"),
    Story("emergency_review", 74, "male", "L", "gp_outside", ("pharmacist",), ("fibrillation", "renal"),
          Body(138, 78, weight=77, height=170), given="Raymond", family="Samson",
          special="Accès d'urgence du médecin de garde hier soir, à revoir"),
    Story("emergency_objection", 63, "female", "K", "gp", _TEAM, ("hypothyroidism",), Body(126, 76, weight=68, height=164),
          given="Danielle", family="Perron", tell=_objects_emergency,
          special="S'oppose à tout accès d'urgence"),
    Story("heart", 83, "male", "K", "gp", (*_TEAM, "home_service", "home_service_manager"),
          ("heart_failure", "fibrillation", "renal"), Body(124, 70, 78, weight=74.5, height=168, saturation=95), "nurse",
          given="Eugène", family="Le Sommer", relative="daughter", tell=_heart,
          special="Insuffisance cardiaque, pesée chaque matin par l'aide ; un appel à la plateforme avant-hier soir"),
    Story("referral", 68, "male", "L", "gp_outside", ("pharmacist",), ("hypertension",), Body(134, 80, weight=83, height=175),
          given="Bernard", family="Rouxel", relative="wife", tell=_referral,
          special="Demande d'avis acceptée par la pneumologue, hors équipe, jusqu'à dans trois semaines"),
    Story("homonym_1", 72, "female", "K", "gp", _TEAM, ("diabetes",), Body(132, 78, weight=70, height=160), "nurse",
          given="Marie-Claire", family="Le Roux", special="Homonyme d'une autre personne du territoire"),
    Story("homonym_2", 46, "female", "N", "gp_replaced", ("nurse_colleague",), ("asthma",),
          Body(118, 74, weight=62, height=166), given="Marie-Claire", family="Le Roux",
          special="Homonyme d'une autre personne du territoire"),
    Story("provisional", 29, "male", "L", "gp_outside", (), (), Body(122, 74, weight=76, height=181), given="Quentin",
          family="Kowalski", status="PROV", informed=False,
          special="Identité provisoire, sans matricule ; pas encore informé du partage avec le social"),
)  # fmt: skip
