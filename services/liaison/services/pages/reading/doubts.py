"""What is said against relying on a record: another one replaces it, its identity is doubtful, a part of it is not read.

RNIV asks that the attributes of an identity (homonyme, douteux, doublon, fictif) be seen where it is.
http://hl7.org/fhir/R4/patient.html#Patient.link
"""

from collections.abc import Iterator
from typing import Any, Final

from liaison.auth.access.identity import comments_of
from liaison.services.pages.marking import _
from liaison.services.pages.reading import unread

Tree = dict[str, Any]


_COMMENTS: Final = {
    "HOMA": _("Homonyme : vérifiez que c'est la bonne personne"),
    "DOUT": _("Identité douteuse"),
    "DOUB": _("Doublon : cette personne a peut-être un autre dossier"),
    "FICT": _("Identité fictive"),
}


def of(patient: Tree) -> Iterator[str]:
    """Each in words, to be put into the reader's language when shown."""
    if any(one.get("type") == "replaced-by" for one in patient.get("link", [])):
        yield _("Dossier remplacé par un autre")
    elif patient.get("active") is False:
        yield _("Dossier qui ne sert plus")
    comments = comments_of(patient)
    yield from (words for code, words in _COMMENTS.items() if code in comments)
    if unread.is_in(patient):
        yield unread.WORDS
