"""The sheet of R.1110-3 and D.1110-3-1: which information is shared, with whom, how it is kept, and how to say no.

What each reads is taken from the decision table in force; whom it names from the person's own team, or, before there is
one, every profession that the table knows.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access import adopted
from liaison.auth.access.roles import ROLES, role_codes
from liaison.auth.access.table import Table
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.clinician.teams import members_of, teams_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading import classes, people
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.punctuation import colon
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import ROLE_NAMES, role_name
from liaison.services.pages.sheets.printing import Part, printed
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]


_MEMBERS = tuple(
    code
    for code, role in ROLES.items()
    if role.category in ("health", "psychologist", "social", "coordination") and code != "regulating-doctor"
)


async def sheet(request: Request) -> Response:
    """Before there is a record: by profession."""
    _caller, me = await signed_in(request)
    language = language_of(request)
    gettext = translations(language).gettext
    readers = [(role_name(code, gettext), code) for code in ROLE_NAMES if code in _MEMBERS]
    table = await adopted.in_force(request.app.state.house.database)
    made = parts("", readers, me.organization_name, table, gettext)
    return printed(request, made, gettext(TITLE), language, "information")


async def sheet_of(request: Request) -> Response:
    """For one person, with the names of her team."""
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    patient = await patient_or_404(record, request.path_params["id"])
    language = language_of(request)
    gettext = translations(language).gettext
    teams = await teams_of(record, f"Patient/{patient['id']}")
    readers = []
    for name, reference in dict.fromkeys(one for team in teams for one in members_of(team, record.now())):
        role = await record.read(reference) if reference.startswith("PractitionerRole/") else None
        readers.append((name, next(iter(role_codes(role)), "") if role else ""))
    table = await adopted.in_force(request.app.state.house.database)
    made = parts(identity(patient).full, readers, me.organization_name, table, gettext)
    return printed(request, made, gettext(TITLE), language, "information")


TITLE = _("Ce qui est partagé à votre sujet, et avec qui")


def parts(person: str, readers: list[tuple[str, str]], structure: str, table: Table, gettext: Gettext) -> list[Part]:
    """`readers`: who, and their role, '' for a structure. `table` is the one in force."""
    made = [Part("title", gettext(TITLE))]
    if person:
        made.append(Part("text", person))
    made += [Part("text", gettext(one)) for one in _OPENING]
    for heading, health in ((_("Professionnels de santé"), True), (_("Aide, social et coordination"), False)):
        lines = [
            Part("point", colon(gettext, people.said(name, gettext), ", ".join(read)))
            for name, code in readers
            if code
            and classes.is_health(code) is health
            and (read := classes.in_words(classes.read_in_the_team(table, code), gettext))
        ]
        if lines:
            made += [Part("heading", gettext(heading)), *lines]
    services = [name for name, code in readers if not code]
    if services:
        made.append(
            Part(
                "text",
                gettext(
                    _(
                        "Services de votre équipe : {names}. Ils ne lisent que ce que lit la personne qui vient chez vous."
                    )
                ).format(names=", ".join(services)),
            )
        )
    made.append(Part("heading", gettext(_("Vos droits"))))
    made += [Part("point", gettext(one)) for one in _RIGHTS]
    made += [
        Part(
            "text",
            gettext(_("Règles en vigueur : version {version}. Elles se lisent en entier à l'adresse /regles.")).format(
                version=table.version
            ),
        ),
        Part("blank"),
        Part("field", gettext(_("Remise par"))),
        Part("text", structure),
        Part("field", gettext(_("Le, et comment (à l'oral, par écrit)"))),
    ]
    return made


_OPENING = (
    _(
        "Les personnes qui vous soignent et vous aident partagent les informations utiles à votre suivi, et elles seules. Chacune ne lit que ce que son métier demande."
    ),
    _(
        "Entre soignants et personnes de l'aide ou du social, ce partage demande que vous en soyez informé avant : c'est l'objet de cette feuille (code de la santé publique, article R.1110-3)."
    ),
    _("Le dossier est chiffré, hébergé en France, et chaque lecture est inscrite dans un journal."),
)
_RIGHTS = (
    _(
        "Vous pouvez vous opposer à tout moment, sans motif : à tout partage, à une personne, à un service, ou à l'accès d'urgence."
    ),
    _("Vous pouvez masquer une information : seuls son auteur et votre médecin traitant la voient encore."),
    _("Vous pouvez revenir sur un accord comme sur une opposition."),
    _("Vous pouvez savoir qui a ouvert votre dossier, et en demander copie."),
    _("Vous pouvez désigner un proche pour le carnet partagé ; il n'y lit ni soins ni traitements."),
)
