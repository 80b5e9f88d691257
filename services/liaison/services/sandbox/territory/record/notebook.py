"""The shared notebook: the relative whom the person has named, and the notes that went to and fro."""

from liaison.auth.access import vocabulary
from liaison.protocols import codes
from liaison.services.sandbox.territory.clock import instant
from liaison.services.sandbox.territory.record import consents
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.shapes import Tree, coding, concept, ref


def shared_with_the_relative(record: Record) -> None:
    """The person names the relative; the aide and the relative have written."""
    relative = record.draft["relative"]
    tree = record.draft.tree("relative")
    name = f"{tree['name'][0]['given'][0]} {tree['name'][0]['family']}"
    consents.consent(
        record,
        "sharing",
        record.clock.at(-45, 10),
        "nurse",
        actors=(ref(relative, name),),
        classes=("PROCHES", "APPT"),
        note="Carnet partagé et prochains passages, pour son fils",
    )
    _note(
        record,
        -6,
        "La sortie de dimanche lui a fait plaisir, elle en parle encore.",
        record.who("home_service_manager"),
    )
    _note(
        record,
        -2,
        "Je passe samedi matin, je prends les courses. Merci de laisser la liste sur la table.",
        {"display": name},
    )


def _note(record: Record, day: int, text: str, sender: Tree) -> None:
    record.add(
        {
            "resourceType": "Communication",
            "meta": {"security": [coding(vocabulary.VISIBILITY, "proches", "Carnet partagé")]},
            "status": "completed",
            "category": [concept(coding(codes.HOME_CARE, "notebook", "Carnet partagé"))],
            "sent": instant(record.clock.at(day, 18)),
            "sender": sender,
            "recipient": [record.place("home_service")],
            "payload": [{"contentString": text}],
        }
    )
