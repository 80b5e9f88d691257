"""What the documents of an identity check are called. French source strings; English in the catalogue."""

from typing import Final

from liaison.services.pages.marking import _

DOCUMENTS: Final = {
    "id-card": _("Carte nationale d’identité"),
    "passport": _("Passeport"),
    "residence-permit": _("Titre de séjour"),
    "family-record": _("Livret de famille, pour un enfant, avec la pièce d’un parent"),
}
