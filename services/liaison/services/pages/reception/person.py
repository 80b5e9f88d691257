"""The person as the form states them, as a Patient in the shape of FR Core."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

Tree = dict[str, Any]

FR_CORE: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition"
IDENTIFIER_TYPE: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
COMMUNE: Final = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
# The last digit of the OID says what the matricule is: NIR, NIA (waiting), test, demonstration.
INS: Final = {"8": "INS-NIR", "9": "INS-NIA", "10": "INS-NIR-TEST", "11": "INS-NIR-DEMO"}
SEXES: Final = ("female", "male", "unknown")
EARLIEST: Final = date(1900, 1, 1)
LONGEST: Final = 100
_UNSEEN: Final = ("Cc", "Cf", "Co", "Cs")
"""Characters that nobody sees, and that turn round or hide what stands beside them on a page or a label."""
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSEE: Final = re.compile(r"[0-9][0-9A-Z][0-9]{3}")
_POSTAL: Final = re.compile(r"[0-9]{5}")
_PHONE: Final = re.compile(r"\+?[0-9][0-9 .()/-]{3,28}[0-9]")


class Incomplete(ValueError):
    """Something is missing or wrong; `field` is the name of the form's field, `said` what is said of it (welcome.MISSING)."""

    def __init__(self, field: str, said: str = "") -> None:
        self.field = field
        self.said = said or field
        super().__init__(field)


def patient(form: Mapping[str, str]) -> Tree:
    """Raises Incomplete. The matricule is taken as typed; whether it may be kept is decided by the identity's status."""
    family, given = form.get("family", "").strip(), form.get("given", "").strip()
    for field, value in (("family", family), ("given", given)):
        if not value:
            raise Incomplete(field)
    for field in ("family", "given", "used", "street", "city"):
        if len(form.get(field, "")) > LONGEST:
            raise Incomplete(field, "long")
        if any(unicodedata.category(letter) in _UNSEEN for letter in form.get(field, "")):
            raise Incomplete(field, "unseen")
    birth = day_of_birth(form.get("birth", ""))
    if form.get("sex") not in SEXES:
        raise Incomplete("sex")
    names: list[Tree] = [{"use": "official", "family": family, "given": [given]}]
    if used := form.get("used", "").strip():
        names.append({"use": "usual", "family": used, "given": [given]})
    tree: Tree = {
        "resourceType": "Patient",
        "name": names,
        "gender": form["sex"],
        "birthDate": birth.isoformat(),
    }
    if place := form.get("birthplace", "").strip().upper():
        if not _INSEE.fullmatch(place):
            raise Incomplete("birthplace")
        tree["extension"] = [_birthplace(place)]
    if form.get("ins", "").strip():
        tree["identifier"] = [matricule(form)]
    if phone := form.get("phone", "").strip():
        if not _PHONE.fullmatch(phone):
            raise Incomplete("phone")
        tree["telecom"] = [{"system": "phone", "value": phone}]
    if address := _address(form):
        tree["address"] = [address]
    return tree


def _address(form: Mapping[str, str]) -> Tree:
    """{} for none. Raises Incomplete."""
    street, city, postal = (form.get(field, "").strip() for field in ("street", "city", "postal"))
    if postal and not _POSTAL.fullmatch(postal):
        raise Incomplete("postal")
    return {**({"line": [street]} if street else {}), **({"city": city} if city else {}),
            **({"postalCode": postal} if postal else {})}  # fmt: skip


def day_of_birth(typed: str) -> date:
    """Raises Incomplete for what is no date (2026-W10-1 is none here), or no day on which anyone alive was born."""
    try:
        birth = date.fromisoformat(typed) if _DAY.fullmatch(typed) else None
    except ValueError:
        birth = None
    # A day ahead: it may be tomorrow already where the form is filled in.
    if birth is None or not EARLIEST <= birth <= datetime.now(UTC).date() + timedelta(days=1):
        raise Incomplete("birth")
    return birth


def matricule(form: Mapping[str, str]) -> Tree:
    """The INS as an identifier. Raises Incomplete."""
    value, kind = "".join(form.get("ins", "").split()).upper(), form.get("ins_kind", "")
    if kind not in INS or len(value) != 15:
        raise Incomplete("ins")
    return {
        "use": "temp" if kind == "9" else "official",
        "type": {"coding": [{"system": IDENTIFIER_TYPE, "code": INS[kind]}]},
        "system": f"urn:oid:1.2.250.1.213.1.4.{kind}",
        "value": value,
    }


def _birthplace(code: str) -> Tree:
    insee = {"url": f"{FR_CORE}/fr-core-address-insee-code", "valueCoding": {"system": COMMUNE, "code": code}}
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "valueAddress": {"extension": [insee]},
    }
