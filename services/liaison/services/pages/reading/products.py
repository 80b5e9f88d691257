"""A Medication in words: what it is called or made of, and whether its card may be trusted.

http://hl7.org/fhir/R4/medication.html
"""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import values
from liaison.services.pages.reading.concepts import Say, label, named

Tree = dict[str, Any]


_CARDS: Final = {
    "entered-in-error": _("médicament noté par erreur, à vérifier"),
    "inactive": _("médicament qui n'est plus disponible"),
}


def product(medication: Tree, say: Say = str, holder: Tree | None = None) -> str:
    """A Medication: its words, its ingredients with their strengths, or its code. `holder` is what contains it."""
    return (
        label(medication.get("code"))
        or " + ".join(filter(None, (_ingredient(one, holder or medication, say) for one in _parts(medication))))
        or named(medication.get("code"), say)
    )


def card(medication: Tree) -> str:
    """What its status makes of it, '' where that is as it should be."""
    return _CARDS.get(str(medication.get("status", "")), "")


def contained(tree: Tree, reference: Tree) -> Tree:
    """What the reference names inside the tree, {} where that is nothing."""
    named_ = reference.get("reference")
    return next((one for one in tree.get("contained", []) if named_ and f"#{one.get('id')}" == named_), {})


def _parts(medication: Tree) -> list[Tree]:
    return [one for one in medication.get("ingredient", []) if isinstance(one, dict)]


def _ingredient(ingredient: Tree, holder: Tree, say: Say) -> str:
    reference = ingredient.get("itemReference") or {}
    name = (
        named(ingredient.get("itemCodeableConcept"), say)
        or str(reference.get("display") or "")
        or named(contained(holder, reference).get("code"), say)
    )
    return f"{name} {values.ratio(ingredient.get('strength'))}".strip() if name else ""
