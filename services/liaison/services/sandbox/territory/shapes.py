"""The data types of FHIR R4 as plain trees. Empty parts are left out, as the specification asks."""

from datetime import date, datetime
from typing import Any

from liaison.services.sandbox.territory import systems
from liaison.services.sandbox.territory.clock import instant

Tree = dict[str, Any]


def without_empty(**parts: Any) -> Tree:
    """The parts that say something: None, empty text, lists and trees are left out, False and 0 stay."""
    return {name: value for name, value in parts.items() if value is not None and value not in ("", [], {})}


def coding(system: str, code: str, display: str = "") -> Tree:
    return without_empty(system=system, code=code, display=display)


def concept(*codings: Tree, text: str = "") -> Tree:
    return without_empty(coding=list(codings), text=text)


def coded(system: str, code: str, display: str = "") -> Tree:
    """A CodeableConcept of one coding, which is the commonest shape."""
    return concept(coding(system, code, display))


def quantity(value: float, unit: str, code: str = "") -> Tree:
    return {"value": value, "unit": unit, "system": systems.UCUM, "code": code or unit}


def moment(value: date | datetime) -> str:
    """A FHIR date for a date, a dateTime with its offset for a datetime."""
    return instant(value) if isinstance(value, datetime) else value.isoformat()


def period(start: date | datetime | None, end: date | datetime | None = None) -> Tree:
    return without_empty(start=moment(start) if start else None, end=moment(end) if end else None)


def ref(reference: str, display: str = "") -> Tree:
    return without_empty(reference=reference, display=display)


def identifier(system: str, value: str, type_code: str = "", use: str = "official") -> Tree:
    return without_empty(
        use=use,
        type=coded(systems.IDENTIFIER_TYPE, type_code) if type_code else None,
        system=system,
        value=value,
    )


def phone(value: str, use: str = "") -> Tree:
    return without_empty(system="phone", value=value, use=use)


def secure_mail(value: str) -> Tree:
    """An MSSanté mailbox: the only address to which clinical content may go."""
    return {
        "extension": [
            {
                "url": f"{systems.FR_CORE}/fr-core-contact-point-email-type",
                "valueCoding": coding(systems.MAILBOX_TYPE, "MSSANTE", "Messagerie MSSanté"),
            }
        ],
        "system": "email",
        "value": value,
        "use": "work",
    }
