"""A medicine in words: its name, whether it is taken, proposed or never to be given.

http://hl7.org/fhir/R4/medicationrequest.html
"""

from datetime import datetime
from typing import Any, Final

from liaison.services.pages.reading import dosages, moments, values
from liaison.services.pages.reading.concepts import Say, label, named

Tree = dict[str, Any]


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


_NEVER: Final = _("Ne pas donner")
TYPES: Final = frozenset({"MedicationRequest", "MedicationStatement"})
_MEANT: Final = {"proposal": _("proposé"), "plan": _("prévu"), "option": _("au choix")}
"""R4's intents: what is suggested, meant or offered as a choice, without an authorization to act."""
_ENDED: Final = frozenset({"stopped", "completed", "on-hold", "not-taken"})


def told(tree: Tree, say: Say = str) -> str:
    """The name with every dosage, ' ; ' between them. What must not be given is said first."""
    given = " ; ".join(filter(None, (dosages.told(one, say) for one in dosages.of(tree))))
    line = ", ".join(filter(None, (medicine(tree, say) or say(_("médicament non précisé")), given)))
    meant = _MEANT.get(str(tree.get("intent", ""))) if tree.get("status") == "active" else None
    line = f"{line} ({say(meant)})" if meant else line
    return f"{say(_NEVER)} : {line}" if forbidden(tree) else line


def medicine(tree: Tree, say: Say = str) -> str:
    """What is taken: its words, those of the Medication that the resource contains, or of the reference to one; failing
    words, the ingredients or the code. '' where nothing names it."""
    reference = tree.get("medicationReference") or {}
    inside: Tree = _contained(tree, reference)
    return (
        label(tree.get("medicationCodeableConcept"))
        or label(inside.get("code"))
        or str(reference.get("display") or "")
        or named(tree.get("medicationCodeableConcept"), say)
        or product(inside, say, tree)
    )


def product(medication: Tree, say: Say = str, holder: Tree | None = None) -> str:
    """A Medication: its words, its ingredients with their strengths, or its code. `holder` is what contains it."""
    return (
        label(medication.get("code"))
        or " + ".join(filter(None, (_ingredient(one, holder or medication, say) for one in _parts(medication))))
        or named(medication.get("code"), say)
    )


def forbidden(tree: Tree) -> bool:
    """R4: doNotPerform, « prohibits the action »."""
    return tree.get("doNotPerform") is True


def proposed(tree: Tree) -> bool:
    """Whether it stands as an idea or an intention: nobody ordered it, or takes it yet."""
    meant = tree.get("status") == "intended"
    return meant or (tree.get("status") in ("active", "unknown") and tree.get("intent") in _MEANT)


def taken(tree: Tree, now: datetime) -> bool:
    """Whether the person takes it today, as far as the record says; where it says that nobody knows, so does the line."""
    return tree.get("status") in ("active", "unknown") and not (forbidden(tree) or proposed(tree) or ended(tree, now))


def ended(tree: Tree, now: datetime) -> bool:
    """Whether it was taken, or was to be, and is no more. R4: a statement may stay active past the end it names."""
    return tree.get("status") in _ENDED or moments.over(tree.get("effectivePeriod") or {}, now)


def _contained(tree: Tree, reference: Tree) -> Tree:
    named_ = reference.get("reference")
    return next((one for one in tree.get("contained", []) if named_ and f"#{one.get('id')}" == named_), {})


def _parts(medication: Tree) -> list[Tree]:
    return [one for one in medication.get("ingredient", []) if isinstance(one, dict)]


def _ingredient(ingredient: Tree, holder: Tree, say: Say) -> str:
    reference = ingredient.get("itemReference") or {}
    name = (
        named(ingredient.get("itemCodeableConcept"), say)
        or str(reference.get("display") or "")
        or named(_contained(holder, reference).get("code"), say)
    )
    return f"{name} {values.ratio(ingredient.get('strength'))}".strip() if name else ""
