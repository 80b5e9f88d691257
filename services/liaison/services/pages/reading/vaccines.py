"""A vaccination in a line: of what, which dose, and whether it protects. http://hl7.org/fhir/R4/immunization.html"""

from typing import Any

from liaison.services.pages.marking import _
from liaison.services.pages.reading.concepts import Say, labels, named
from liaison.services.pages.reading.punctuation import colon

Tree = dict[str, Any]


def told(vaccine: Tree, say: Say = str) -> str:
    """'Grippe, dose 2, ne protège pas assez : froid rompu'."""
    doses = [f"{say(_('dose'))} {number}" for one in vaccine.get("protocolApplied", []) if (number := _number(one))]
    reported = say(_("d'après ce qui a été rapporté")) if vaccine.get("primarySource") is False else ""
    when = str(vaccine.get("occurrenceString", ""))
    return ", ".join(
        filter(None, (named(vaccine.get("vaccineCode"), say), *doses, when, _weak(vaccine, say), reported))
    )


def _number(protocol: Tree) -> str:
    return str(protocol.get("doseNumberPositiveInt") or protocol.get("doseNumberString") or "")


def _weak(vaccine: Tree, say: Say) -> str:
    """R4: isSubpotent, « if a dose is considered to be subpotent »; it does not count as one that protects."""
    if vaccine.get("isSubpotent") is not True:
        return ""
    return colon(say, say(_("ne protège pas assez")), ", ".join(labels(vaccine.get("subpotentReason"))))
