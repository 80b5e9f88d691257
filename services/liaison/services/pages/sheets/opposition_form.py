"""The paper form of an opposition: filled in and signed by the person, then scanned beside what is recorded."""

from starlette.requests import Request
from starlette.responses import Response

from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.marking import _
from liaison.services.pages.sheets.printing import Part, printed
from liaison.services.pages.signed_in import signed_in

TITLE = _("Je m'oppose au partage de mes informations")
_CHOICES = (
    _("[   ] à tout partage entre professionnels"),
    _("[   ] à ce que cette personne voie mon dossier :"),
    _("[   ] à ce que ce service voie mon dossier :"),
    _("[   ] à tout accès à mon dossier en urgence, même si je ne peux pas m'exprimer"),
)
_KNOWN = (
    _("Mon opposition compte dès qu'elle est notée. Un professionnel la confirme avec moi sous trois jours ouvrés."),
    _("Je peux revenir dessus à tout moment. Ce qui est déjà écrit reste, fermé à ceux que j'ai nommés."),
    _("On m'a dit ce qui s'arrête : le suivi du plan, les alertes, les consignes de la tournée."),
)


async def form(request: Request) -> Response:
    _caller, me = await signed_in(request)
    language = language_of(request)
    gettext = translations(language).gettext
    parts = [
        Part("title", gettext(TITLE)),
        Part("text", gettext(_("Code de la santé publique, article L.1110-4."))),
        Part("field", gettext(_("Nom de naissance"))),
        Part("field", gettext(_("Premier prénom"))),
        Part("field", gettext(_("Date de naissance"))),
        Part("heading", gettext(_("Je m'oppose :"))),
    ]
    for place, choice in enumerate(_CHOICES):
        parts.append(Part("text", gettext(choice)))
        if place in (1, 2):
            parts.append(Part("field", " "))
    parts.append(Part("heading", gettext(_("Je sais que :"))))
    parts += [Part("point", gettext(one)) for one in _KNOWN]
    parts += [
        Part("blank"),
        Part("field", gettext(_("Date"))),
        Part("field", gettext(_("Signature"))),
        Part("field", gettext(_("Recueillie par (nom, fonction)"))),
        Part("text", me.organization_name),
    ]
    return printed(request, parts, gettext(TITLE), language, "opposition")
