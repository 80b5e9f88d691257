"""What home help adds to the record of people with BPCO: visits, 'À savoir', and the alert of this morning."""

from datetime import datetime, timedelta

from liaison.protocols.alerts import acknowledge, close
from liaison.services.sandbox.territory.record import home_care
from liaison.services.sandbox.territory.record.record import Record


def every_other_day(record: Record, aide: str, weight: float) -> None:
    """Three visits a week, nothing to report."""
    home_care.help_plan(
        record, "Aide à domicile, 4 h 30 par semaine", ("Ménage et linge, lundi et vendredi", "Courses, mercredi"), -380
    )
    home_care.know(
        record,
        "BPCO : s'essouffle dans l'escalier, le laisser s'asseoir. Inhalateur bleu dans la poche du gilet.",
        by="nurse",
    )
    home_care.history(record, aide, 21, 3, 10, breath=True, weight=weight)
    home_care.tour_week(
        record, aide, record.clock.at(0, 11, 30), 60, "Ménage et courses ; transport à l'atelier à proposer"
    )


def alert_twenty_minutes_ago(record: Record) -> None:
    """A visit that ended twenty minutes ago: shorter breath, new sputum, little eaten. Nobody has seen it yet."""
    home_care.help_plan(
        record,
        "Aide à domicile, 7 h par semaine",
        ("Lever et toilette chaque matin", "Repas de midi, du lundi au vendredi", "Ménage, jeudi"),
        -190,
    )
    home_care.know(
        record,
        "Essoufflée au moindre effort : toilette assise, fenêtre entrouverte, ne pas presser.",
        "Si plus essoufflée que d'habitude, crachats nouveaux ou fièvre : alerte le jour même.",
        "Si essoufflée au repos ou somnolente : appeler le 15, puis le CCAS (02 61 91 10 09).",
        by="gp",
    )
    home_care.history(record, "aide", 18, 2, 8, breath=True, weight=58.5)
    _earlier_alert(record)
    end = record.clock.ago(minutes=20)
    start = end - timedelta(minutes=40)
    what, tasks = _of_the_hour(start.hour)
    line = home_care.tour_line(record, "aide", start, 40, what, status="fulfilled", key="tour/today")
    home_care.visited(
        record,
        "aide",
        start,
        40,
        {
            "tasks": tasks,
            "general": "less-well",
            "meal": "meal-little",
            "drink": "drink-little",
            "medicine": "medicine-yes",
            "fall": "fall-no",
            "breath": "breath-more",
            "sputum": "sputum-yes",
            "mood": "mood-usual",
            "weight": 57.9,
            "note": "S'est arrêtée deux fois entre la chambre et la cuisine. Crachats plus épais depuis hier soir.",
        },
        appointment=line,
        key="alert",
    )
    home_care.tour_week(record, "aide", record.clock.at(1, 8), 40, "Lever, toilette, petit-déjeuner")


def _of_the_hour(hour: int) -> tuple[str, list[str]]:
    """What an aide comes for at that hour, in words and as the form has it: nobody is helped out of bed at five o'clock in
    the afternoon."""
    if hour < 11:
        return "Lever, toilette, petit-déjeuner", ["get-up", "wash", "meal-served"]
    if hour < 15:
        return "Toilette et repas de midi", ["wash", "meal-served"]
    if hour < 18:
        return "Ménage, repas du soir préparé", ["housework", "meal-served"]
    return "Repas du soir, coucher", ["meal-served", "bed"]


def _earlier_alert(record: Record) -> None:
    """One of last month, seen, answered and closed: what the thread looks like when it works."""
    start = record.clock.at(-33, 8, 15)
    urns = home_care.visited(
        record,
        "aide",
        start,
        45,
        {
            "tasks": ["get-up", "wash"],
            "general": "less-well",
            "meal": "meal-little",
            "legs": "legs-more",
            "medicine": "medicine-yes",
            "note": "Les chaussures ne passent plus.",
        },
    )
    _answered(record, urns, start + timedelta(hours=2), "Je passe à 14 h. Jambes surélevées, pas de sel.")


def _answered(record: Record, urns: list[str], at: datetime, words: str) -> None:
    """The nurse has seen the alert among these resources, sent one line back, and closed it two days later."""
    urn = next(urn for urn in urns if record.draft.entries[urn]["resourceType"] == "Task")
    nurse = record.who("nurse")
    seen, [instruction] = acknowledge(record.draft.entries[urn], urn, nurse, at, words)
    record.draft.entries[urn] = close(seen, "settled", "Réglé", nurse, at + timedelta(days=2))
    instruction.pop("subject")
    record.add(instruction)


def oxygen_at_home(record: Record) -> None:
    """Two visits a day, oxygen worn, one evening where it was not."""
    home_care.help_plan(
        record,
        "Aide à domicile, 14 h par semaine",
        ("Lever, toilette, petit-déjeuner, tous les jours", "Repas du soir et coucher, tous les jours"),
        -395,
        form="visit-breath",
    )
    home_care.know(
        record,
        "Oxygène 1,5 L/min, au moins 15 heures par jour. Ne pas changer le débit.",
        "Aucune flamme près de l'oxygène : ni cigarette, ni bougie, ni cuisinière à gaz à moins de 3 mètres.",
        "Panne du concentrateur : bouteille de secours derrière la porte, puis appeler le prestataire (numéro dessus).",
        by="nurse",
    )
    home_care.history(record, "aide", 14, 2, 7, breath=True, oxygen=True)
    start = record.clock.at(-4, 18)
    urns = home_care.visited(
        record,
        "aide2",
        start,
        45,
        {
            **home_care.ordinary(record),
            "oxygen": "oxygen-not-worn",
            "note": "Avait enlevé les lunettes pour dîner, remises à 18 h 30.",
        },
    )
    _answered(record, urns, start + timedelta(hours=2), "Merci. J'en reparle avec lui demain matin.")
    clock = record.clock
    for aide, hour, what in (("aide", 7, "Lever, toilette, petit-déjeuner"), ("aide2", 18, "Repas du soir, coucher")):
        start = clock.at(0, hour, 30)
        status = "fulfilled" if start + timedelta(hours=1) < clock.now else "booked"
        line = home_care.tour_line(record, aide, start, 45, what, status=status)
        if status == "fulfilled":
            home_care.visited(
                record, aide, start, 45, home_care.ordinary(record, breath=True, oxygen=True), appointment=line
            )
        home_care.tour_week(record, aide, start + timedelta(days=1), 45, what)


def after_discharge(record: Record) -> None:
    """Visits have resumed; the manager and the nurse agreed on what to look at."""
    home_care.help_plan(record, "Aide à domicile, 5 h par semaine, reprise", ("Toilette et repas, cinq matins",), -5)
    home_care.know(
        record,
        "Sortie d'hôpital récente : noter chaque jour le souffle et le poids.",
        "Nouveau traitement inhalé matin et soir, l'ancien a été retiré du domicile.",
        by="nurse_colleague",
        since=-4,
    )
    home_care.message(
        record,
        "Bonjour, merci de reprendre les passages dès demain matin. Le pilulier est prêt, je passe jeudi.",
        record.clock.at(-5, 17, 20),
        "nurse_colleague",
    )
    home_care.history(record, "aide2", 4, 1, 9, breath=True, weight=63.4)
    home_care.tour_week(
        record, "aide2", record.clock.at(0, 11), 60, "Toilette et repas de midi ; noter souffle et poids"
    )
