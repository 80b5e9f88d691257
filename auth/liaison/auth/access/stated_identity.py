"""What may not be stated of an identity together (RNIV; domain notes §1.4), by `$register`, `$identify` or a plain write: a
status that its comments forbid, a matricule whose type says another nature than its OID.
"""

from collections.abc import Mapping
from typing import Any, Final

from liaison.auth.access import identity
from liaison.auth.access.finding import require_traits
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.check_digits import ins_ok
from liaison.fhir.store.contract import Tree

_TYPES: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-"
"""What the system of the type of an identifier begins with, in both generations of FR Core."""
_NATURES: Final = {
    "8": frozenset({"INS-NIR"}),
    "9": frozenset({"INS-NIA"}),
    "10": frozenset({"INS-NIR-TEST", "INS-NIR"}),
    "11": frozenset({"INS-NIR-DEMO", "INS-NIR"}),
}
"""By the last number of the OID. The older generation has no type of its own for tests and demonstrations."""


def require_undoubted(patient: Mapping[str, Any], status: str) -> None:
    """Raises BadRequest for a status of what was checked beside a comment that says it was not."""
    if status in identity.CHECKED and identity.comments_of(patient) & identity.UNCHECKABLE:
        raise BadRequest(
            f"A doubtful or fictitious identity (DOUT, FICT) is PROV: with {status} it would pass for one that was checked.",
            "Patient.extension",
        )


def require_typed(patient: Mapping[str, Any]) -> None:
    """Raises BadRequest for an INS whose type says another nature than its OID, with where."""
    for place, one in enumerate(patient.get("identifier") or ()):
        natures = _NATURES.get(str(one.get("system", "")).removeprefix(identity.INS_ARC))
        stated = {
            str(coding.get("code"))
            for coding in (one.get("type") or {}).get("coding") or ()
            if str(coding.get("system", "")).startswith(_TYPES) and str(coding.get("code", "")).startswith("INS-N")
        }
        if natures and stated - natures:
            raise BadRequest(
                f"The type {', '.join(sorted(stated - natures))} is not that of this OID: {one['system']} is of"
                f" {' or '.join(sorted(natures))}.",
                f"Patient.identifier[{place}].type",
            )


def require_qualified(patient: Tree) -> None:
    """Raises BadRequest for what may not be a qualified identity: a trait or the INS missing, its key wrong, a doubt."""
    require_traits(patient, all_of_them=True)
    found = identity.matricules(patient)
    if not found:
        raise BadRequest("A qualified identity has its INS.", "Patient.identifier")
    if not all(ins_ok(value) for _, value in found):
        raise BadRequest("The INS has fifteen characters, the last two of which are its key.", "Patient.identifier")
    if identity.is_questioned(patient):
        raise BadRequest("A doubtful, homonymous or fictitious identity is not qualified.", "Patient.extension")
