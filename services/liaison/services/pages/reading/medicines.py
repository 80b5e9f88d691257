"""A medicine in words: its name, whether it is taken, proposed or never to be given.

http://hl7.org/fhir/R4/medicationrequest.html
"""

from datetime import datetime
from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import dosages, moments, none_known, people, products, values
from liaison.services.pages.reading.concepts import Say, label, named
from liaison.services.pages.reading.punctuation import colon, semicolons
from liaison.services.pages.reading.states import MEANT

Tree = dict[str, Any]


_NEVER: Final = _("Ne pas donner")
TYPES: Final = frozenset({"MedicationRequest", "MedicationStatement"})
_ENDED: Final = frozenset({"stopped", "completed", "on-hold", "not-taken"})


def told(tree: Tree, say: Say = str) -> str:
    """The name with every dosage, ' ; ' between them, and when. What must not be given is said first."""
    name = medicine(tree, say) or say(_("médicament non précisé"))
    if card := products.card(products.contained(tree, tree.get("medicationReference") or {})):
        name = f"{name} ({say(card)})"
    given = semicolons((dosages.told(one, say) for one in dosages.of(tree)), say)
    line = ", ".join(filter(None, (name, given, _when(tree, say), _ordered(tree, say))))
    return colon(say, say(_NEVER), line) if forbidden(tree) else line


def medicine(tree: Tree, say: Say = str) -> str:
    """What is taken: its words, those of the Medication that the resource contains, or of the reference to one; failing
    words, the ingredients or the code. '' where nothing names it."""
    reference = tree.get("medicationReference") or {}
    inside = products.contained(tree, reference)
    return (
        none_known.told(tree.get("medicationCodeableConcept"), say)
        or label(tree.get("medicationCodeableConcept"))
        or label(inside.get("code"))
        or str(reference.get("display") or "")
        or named(tree.get("medicationCodeableConcept"), say)
        or products.product(inside, say, tree)
    )


def forbidden(tree: Tree) -> bool:
    """R4: doNotPerform, « prohibits the action »."""
    return tree.get("doNotPerform") is True


def prohibits(tree: Tree) -> bool:
    """Whether the prohibition may still hold: one that is suspended, or of which nobody knows, is told with its status."""
    return forbidden(tree) and tree.get("status") in ("active", "unknown", "on-hold")


def proposed(tree: Tree, now: datetime) -> bool:
    """Whether it stands as an idea or an intention, or begins later: nobody ordered it, or takes it yet."""
    if tree.get("status") == "intended":
        return True
    return tree.get("status") in ("active", "unknown") and (tree.get("intent") in MEANT or _begins_later(tree, now))


def taken(tree: Tree, now: datetime) -> bool:
    """Whether the person takes it today, as far as the record says; where it says that nobody knows, so does the line."""
    if forbidden(tree) or proposed(tree, now) or ended(tree, now):
        return False
    return tree.get("status") in ("active", "unknown")


def ended(tree: Tree, now: datetime) -> bool:
    """Whether it was taken, or was to be, and is no more. R4: a statement may stay active past the end it names."""
    return tree.get("status") in _ENDED or moments.over(tree.get("effectivePeriod") or {}, now)


def _begins_later(tree: Tree, now: datetime) -> bool:
    """As a whole: a treatment of which one dosage holds today is taken today."""
    whole = [_effective(tree), (tree.get("dispenseRequest") or {}).get("validityPeriod") or {}]
    each = dosages.periods(tree)
    return any(moments.ahead(one, now) for one in whole) or (
        bool(each) and all(moments.ahead(one, now) for one in each)
    )


def _effective(statement: Tree) -> Tree:
    """When it is, was or will be taken, as a Period."""
    return statement.get("effectivePeriod") or {"start": statement.get("effectiveDateTime", "")}


def _when(tree: Tree, say: Say) -> str:
    moment = str(tree.get("effectiveDateTime", ""))
    return values.period(tree.get("effectivePeriod"), say) or (values.day(moment) if moment else "")


def _ordered(request: Tree, say: Say) -> str:
    """What the prescription says of itself: until when it is valid, from when if that is not as it was written, and that
    nothing may be given in its place."""
    period = (request.get("dispenseRequest") or {}).get("validityPeriod") or {}
    if str(period.get("start", ""))[:10] <= str(request.get("authoredOn", ""))[:10]:
        period = {"end": period.get("end", "")}
    valid = values.period(period, say)
    kept = (request.get("substitution") or {}).get("allowedBoolean") is False
    parts = [f"{say(_('ordonnance valable'))}, {valid}" if valid else "", say(_("non substituable")) if kept else ""]
    return ", ".join(filter(None, [*parts, _reported(request, say)]))


def _reported(request: Tree, say: Say) -> str:
    """R4: reported[x], a prescription that somebody told of rather than the one that was written."""
    by = str((request.get("reportedReference") or {}).get("display") or "")
    if by:
        return say(_("d'après {who}")).format(who=people.said(by, say))
    told_of = request.get("reportedBoolean") is True or "reportedReference" in request
    return say(_("d'après ce qui a été rapporté")) if told_of else ""
