"""Texts: consultation notes, letters, reports, and the notes of the shared liaison notebook (cahier de liaison)."""

from base64 import b64encode
from datetime import datetime
from typing import Final

from liaison.services.sandbox.territory import systems
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.shapes import Tree, coded, coding, concept, moment, ref, without_empty

TYPES: Final = {
    "consultation": ("11488-4", "Compte rendu de consultation", "10", "Compte rendu"),
    "letter": ("34133-9", "Synthèse médicale", "10", "Compte rendu"),
    "discharge": ("11490-0", "Lettre de liaison à la sortie", "10", "Compte rendu"),
    "spirometry": ("18759-1", "Compte rendu d'exploration fonctionnelle respiratoire", "10", "Compte rendu"),
    "psychiatry": ("34788-0", "Compte rendu de consultation de psychiatrie", "10", "Compte rendu"),
    "imaging": ("18748-4", "Compte rendu d'imagerie", "31", "Imagerie"),
    "social": ("51848-0", "Évaluation sociale", "60", "Autre document"),
}
NOTES: Final = {"INFO": "Information", "DEM-AVIS": "Demande d'avis", "CONSIGNE": "Consigne", "OBS": "Observation"}


def document(
    record: Record,
    kind: str,
    title: str,
    text: str,
    at: datetime,
    by: str,
    *,
    encounter: str = "",
    labels: list[Tree] | None = None,
    custodian: Tree | None = None,
) -> str:
    """A signed document of the record, as plain text (real ones are mostly PDF; the shape is the same)."""
    code, display, class_code, class_name = TYPES[kind]
    return record.add(
        without_empty(
            resourceType="DocumentReference",
            meta={"security": labels} if labels else None,
            status="current",
            docStatus="final",
            type=concept(coding(systems.LOINC, code, display)),
            category=[coded(systems.DOCUMENT_CLASS, class_code, class_name)],
            date=moment(at),
            author=[record.who(by)],
            custodian=custodian or record.service_of(by),
            description=title,
            securityLabel=[coded(systems.CONFIDENTIALITY, "R" if labels else "N", "Restreint" if labels else "Normal")],
            content=[{"attachment": _text(title, text, at)}],
            context={"encounter": [ref(encounter)]} if encounter else None,
        )
    )


def note(
    record: Record,
    text: str,
    at: datetime,
    by: str,
    *,
    kind: str = "INFO",
    answers: str = "",
    labels: list[Tree] | None = None,
    key: str = "",
) -> str:
    """A note of the liaison notebook (profile cdl-document-reference): short, factual, dated, signed."""
    return record.add(
        without_empty(
            resourceType="DocumentReference",
            meta={"security": labels} if labels else None,
            status="current",
            type=concept(coding(systems.NOTE_TYPE, kind, NOTES[kind])),
            date=moment(at),
            author=[record.who(by)],
            relatesTo=[{"code": "appends", "target": ref(answers)}] if answers else None,
            content=[{"attachment": _text("", text, at)}],
        ),
        key,
    )


def _text(title: str, text: str, at: datetime) -> Tree:
    return without_empty(
        contentType="text/plain; charset=utf-8",
        language="fr-FR",
        data=b64encode(text.encode()).decode(),
        title=title,
        creation=moment(at),
    )
