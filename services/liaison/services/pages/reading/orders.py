"""A ServiceRequest in a line: what is asked for, or what must not be done. http://hl7.org/fhir/R4/servicerequest.html"""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import timings, values
from liaison.services.pages.reading.concepts import Say, named
from liaison.services.pages.reading.punctuation import colon

Tree = dict[str, Any]


NEVER: Final = _("Ne pas faire")
_UNNAMED: Final = _("demande non précisée")


def told(order: Tree, say: Say = str) -> str:
    """'Ne pas faire : IRM, genou gauche'; '' where nothing names what is asked for."""
    details = [one for name in ("code", "orderDetail", "bodySite") for one in _listed(order.get(name))]
    needed = named(order.get("asNeededCodeableConcept"), say)
    if needed or order.get("asNeededBoolean") is True:
        needed = say(_("si besoin : {why}")).format(why=needed) if needed else say(_("si besoin"))
    parts = [
        *(named(one, say) for one in details),
        *_when(order, say),
        needed,
        str(order.get("patientInstruction") or ""),
    ]
    said = ", ".join(filter(None, parts))
    return colon(say, say(NEVER), said or say(_UNNAMED)) if order.get("doNotPerform") is True else said


def _when(order: Tree, say: Say) -> list[str]:
    day = values.day(str(order.get("occurrenceDateTime", "")))
    return [day, values.period(order.get("occurrencePeriod"), say), *timings.told(order.get("occurrenceTiming"), say)]


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found] if found else []
