"""Consultations, home visits of nurses, calls and stays."""

from datetime import datetime, timedelta
from typing import Final

from liaison.services.sandbox.territory import systems
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.shapes import Tree, coded, coding, concept, period, without_empty

CLASSES: Final = {
    "AMB": "Consultation au cabinet",
    "HH": "Au domicile",
    "IMP": "Hospitalisation",
    "EMER": "Urgence",
    "VR": "À distance",
}
_ADMIT: Final = "http://terminology.hl7.org/CodeSystem/admit-source"


def encounter(
    record: Record,
    kind: str,
    start: datetime,
    end: datetime | None,
    by: str,
    reason: str,
    *,
    status: str = "",
    service: Tree | None = None,
    site: str = "",
    labels: list[Tree] | None = None,
    key: str = "",
) -> str:
    """An Encounter with one professional. Without an end it is in progress."""
    return record.add(
        without_empty(
            resourceType="Encounter",
            meta={"security": labels} if labels else None,
            status=status or ("finished" if end else "in-progress"),
            **{"class": coding(systems.ACT_CODE, kind, "Consultation externe" if kind == "AMB" and service else CLASSES[kind])},
            participant=[
                {
                    "type": [
                        coded(systems.PARTICIPATION, "ATND" if kind == "IMP" else "PPRF",
                              "Médecin responsable" if kind == "IMP" else "Intervenant")
                    ],
                    "period": period(start, end),
                    "individual": record.who(by),
                }
            ],
            period=period(start, end),
            reasonCode=[concept(text=reason)],
            hospitalization={"admitSource": coded(_ADMIT, "gp", "Adressé par le médecin traitant")}
            if kind == "IMP"
            else None,
            location=[{"location": record.place(site)}] if site else None,
            serviceProvider=service or record.service_of(by),
        ),
        key,
    )  # fmt: skip


def consultation(record: Record, at: datetime, by: str, reason: str, site: str = "") -> str:
    """Twenty minutes at the surgery."""
    return encounter(record, "AMB", at, at + timedelta(minutes=20), by, reason, site=site)
