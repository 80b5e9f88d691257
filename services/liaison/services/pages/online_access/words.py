"""What the documents of an identity check are called. French source strings; English in the catalogue."""

from typing import Final


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


DOCUMENTS: Final = {
    "id-card": _("Carte nationale d’identité"),
    "passport": _("Passeport"),
    "residence-permit": _("Titre de séjour"),
    "family-record": _("Livret de famille, pour un enfant, avec la pièce d’un parent"),
}
