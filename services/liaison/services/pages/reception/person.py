"""The person as the form states them, as a Patient in the shape of FR Core."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

Tree = dict[str, Any]

FR_CORE: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition"
IDENTIFIER_TYPE: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
COMMUNE: Final = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
# The last digit of the OID says what the matricule is: NIR, NIA (waiting), test, demonstration.
INS: Final = {"8": "INS-NIR", "9": "INS-NIA", "10": "INS-NIR-TEST", "11": "INS-NIR-DEMO"}
SEXES: Final = ("female", "male", "unknown")


class Incomplete(ValueError):
    """Something is missing; `field` is the name of the form's field."""

    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(field)


def patient(form: Mapping[str, str]) -> Tree:
    """Raises Incomplete. The matricule is taken as typed; whether it may be kept is decided by the identity's status."""
    family, given = form.get("family", "").strip(), form.get("given", "").strip()
    for field, value in (("family", family), ("given", given)):
        if not value:
            raise Incomplete(field)
    try:
        birth = date.fromisoformat(form.get("birth", ""))
    except ValueError as error:
        raise Incomplete("birth") from error
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
        tree["extension"] = [_birthplace(place)]
    if form.get("ins", "").strip():
        tree["identifier"] = [matricule(form)]
    if phone := form.get("phone", "").strip():
        tree["telecom"] = [{"system": "phone", "value": phone}]
    if city := form.get("city", "").strip():
        tree["address"] = [{"city": city}]
    return tree


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
