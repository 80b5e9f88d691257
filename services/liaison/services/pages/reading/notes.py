"""The notes that were written beside a fact. http://hl7.org/fhir/R4/datatypes.html#Annotation"""

from typing import Any

from liaison.services.pages.marking import _
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.punctuation import colon, semicolons

Tree = dict[str, Any]


def told(tree: Tree, say: Say = str) -> str:
    """'note : à jeun ; déclaré au téléphone', '' where there is none."""
    written = [str(one["text"]) for one in tree.get("note", []) if isinstance(one, dict) and one.get("text")]
    return colon(say, say(_("note")), semicolons(written, say)) if written else ""
