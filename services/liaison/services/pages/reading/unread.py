"""What Liaison must not read as an ordinary fact: R4 lets other software change the meaning of an element, to its contrary
even, by a modifier extension or by rules of its own, and forbids to process an element as if they were not there.

http://hl7.org/fhir/R4/extensibility.html#modifierExtension, http://hl7.org/fhir/R4/resource.html#Resource.implicitRules
"""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.punctuation import colon

WORDS: Final = _("Contient une précision que Liaison ne sait pas lire")


def is_in(tree: Any) -> bool:
    """Whether a modifier stands anywhere in it, in what it contains too. Liaison itself knows none."""
    if isinstance(tree, list):
        return any(map(is_in, tree))
    if not isinstance(tree, dict):
        return False
    return bool(tree.get("modifierExtension") or tree.get("implicitRules")) or any(map(is_in, tree.values()))


def marked(tree: Any, said: str, say: Say = str) -> str:
    """What is said of the tree, with the warning first where there is one: the rest is to be read in other software."""
    return colon(say, say(WORDS), said) if is_in(tree) else said


def warning(tree: Any, say: Say = str) -> str:
    return say(WORDS) if is_in(tree) else ""
