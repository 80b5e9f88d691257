"""`liaison init`: a new installation for real people. The sandbox has no need of it, and cannot become one."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from liaison.auth.journal import expiry
from liaison.auth.people import accounts
from liaison.auth.people.accounts import AccountProblem
from liaison.fhir.store.database import connection
from liaison.fhir.vault import FileKeyProvider
from liaison.services import base, migrations
from liaison.services.command import Refused, app
from liaison.services.command.backup import CANNOT
from liaison.services.command.keys import print_codes
from liaison.services.custody import papers
from liaison.services.custody.founding import AlreadyFounded, Founder, found
from liaison.services.custody.papers import Papers
from liaison.services.house import House
from liaison.services.installation import WrongInstallation
from liaison.services.library.publishing import publish_shipped
from liaison.services.sandbox.folder import MARKER
from liaison.services.settings import Settings

LONGEST: Final = 30
"""Years that what the journal says may be kept readable."""


@app.command()
def init(
    organization: Annotated[
        str, typer.Option(help="Who answers for this installation: the town, the department…")
    ] = "",
    family: Annotated[str, typer.Option(help="Family name of the first administrator.")] = "",
    given: Annotated[str, typer.Option(help="Given name of the first administrator.")] = "",
    username: Annotated[str, typer.Option(help="User name of the first administrator.")] = "",
    hds_host: Annotated[str, typer.Option(help="The certified host of the health data (HDS).")] = "",
    hds_until: Annotated[str, typer.Option(help="Until when its certificate is good: 2027-06-30.")] = "",
    journal_years: Annotated[
        int | None, typer.Option(min=1, max=LONGEST, help="For how many years what the journal says can be read.")
    ] = None,
) -> None:
    """Found an installation: key, base, first administrator. Asks for what is not given. Later: --hds-until alone."""
    settings = Settings()
    refuse_unsafe(settings)
    known = papers.read(settings.data)
    if known is not None:
        if not hds_until or organization or family or given or username:
            raise Refused(
                "Cette installation est faite. Pour un nouveau certificat HDS : liaison init --hds-until DATE"
            )
        papers.write(
            settings.data,
            Papers(known.made_at, hds_host or known.hds_host, _date(hds_until), journal_years or known.journal_years),
        )
        typer.echo(f"Certificat HDS de {hds_host or known.hds_host} noté jusqu'au {hds_until}.")
        return
    typer.echo(
        "Une commune peut administrer Liaison ; les données de santé sont hébergées chez un hébergeur certifié HDS."
    )
    if settings.outside is None:
        typer.echo(
            f"LIAISON_OUTSIDE n'est pas réglé : {settings.outside_folder} serait perdu avec les données, quand il faut"
            " restaurer. Le mettre sur un autre disque avant d'accueillir quelqu'un."
        )
    host = _told(hds_host, "Hébergeur certifié HDS", _filled)
    until = _told(hds_until, "Son certificat est bon jusqu'au (AAAA-MM-JJ)", _date)
    founder = Founder(
        _told(organization, "Structure qui répond de cette installation", _filled),
        _told(family, "Nom du premier administrateur", _filled),
        _told(given, "Prénom", _filled),
        _told(username, "Identifiant", _user_name),
    )
    years = journal_years or _years()
    there = (base.folder(settings) / "cluster").exists()
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not there:
        _key(settings)  # before a base is made: where there can be no key, there is none
    try:
        with base.running(settings, progress=True):
            asyncio.run(_refuse_keyless(settings))
            secret = _key(settings)
            migrations.migrate_now(base.url(settings))
            token, code = asyncio.run(_found(settings, founder))
    except (*CANNOT, AlreadyFounded, WrongInstallation) as error:
        raise Refused(str(error)) from None
    papers.write(settings.data, Papers(datetime.now(UTC).isoformat(timespec="seconds"), host, until, years))
    print_codes(secret, 5, 3)
    typer.echo("Code scellé, dans une enveloppe à lui : il rouvre l'accès d'un administrateur resté seul, une fois")
    typer.echo(f"(liaison user recover). Il n'est gardé nulle part en clair.\n\n  {code}\n")
    typer.echo("Lien du premier administrateur, bon une fois et pendant 24 heures, à ne donner qu'à cette personne :")
    typer.echo(f"\n  {settings.public_url}/premier-acces/{token}\n")
    typer.echo(f"Perdu, ou plus bon ? liaison user link {accounts.normal(founder.username)}")
    typer.echo("Suite : liaison serve, puis liaison doctor.")


JOURNAL: Final = """
Combien d'années peut-on relire ce que dit le journal des accès (qui, quand, à quel titre, pourquoi) ?
  10, proposé : répondre à la personne et au juge tant qu'un accès peut être contesté (CSP L.1142-28 : dix ans à compter de
  la consolidation du dommage). La CNIL recommande 6 à 12 mois pour un journal technique, et admet plus longtemps quand un
  texte ou le contrôle des accès l'exige : la durée choisie, et sa raison, vont au registre.
Ensuite les clés du mois sont détruites (liaison journal expire) ; la preuve que rien n'a été retiré reste."""


def _years() -> int:
    """Asked with its reasons: the period is a decision of whoever answers for the installation."""
    typer.echo(JOURNAL)
    return int(_told("", "Années", _number_of_years, str(expiry.YEARS)))


def refuse_unsafe(settings: Settings) -> None:
    """A secret inside the data would leave with any copy of them; a sandbox is no place for real people."""
    if (settings.data / MARKER).exists():
        raise Refused(f"{settings.data} est un bac à sable : il ne peut pas devenir une installation réelle.")
    if settings.key_file is None:
        raise Refused("LIAISON_KEY_FILE n'est pas réglé : où sera le fichier de clé, hors du dossier des données ?")
    if settings.key_within:
        raise Refused(
            f"Le fichier de clé {settings.key_file} est dans {settings.key_within} : une copie des données emporterait la"
            " clé. Le placer ailleurs (LIAISON_KEY_FILE), au mieux sur un autre support."
        )


def _told(given: str, question: str, checked: Callable[[str], str], usual: str | None = None) -> str:
    """What the command line says, or else an answer: asked again until it can be one, so that a slip does not end the
    dialogue. Raises Refused for a command line that cannot be. All before anything is made: half an installation could
    not be begun again."""

    def again(text: str) -> str:
        try:
            return checked(text)
        except Refused as refused:
            raise typer.BadParameter(str(refused)) from None

    return checked(given) if given else str(typer.prompt(question, default=usual, value_proc=again))


def _number_of_years(text: str) -> str:
    years = text.strip()
    if not (years.isascii() and years.isdigit() and 1 <= int(years) <= LONGEST):
        raise Refused(f"De 1 à {LONGEST} années, en chiffres.", 2)
    return years


def _filled(text: str) -> str:
    if not text.strip():
        raise Refused("Il faut un nom.", 2)
    return text.strip()


def _user_name(text: str) -> str:
    try:
        accounts.checked_name(text)
    except AccountProblem:
        raise Refused(
            f"« {text} » n'est pas un identifiant : 2 à 64 lettres sans accent, chiffres, points ou tirets.", 2
        ) from None
    return text


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise Refused(f"« {text} » n'est pas une date comme 2027-06-30.", 2) from None


def _key(settings: Settings) -> bytes:
    """The provider's secret: made now, or one that is already there (a new base under a known key)."""
    assert settings.key_file is not None
    path: Path = settings.key_file
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            FileKeyProvider.create(path)
        FileKeyProvider(path)
    except CANNOT as error:
        raise Refused(str(error)) from None
    return bytes.fromhex(path.read_text().split()[1])


async def _refuse_keyless(settings: Settings) -> None:
    """A base that has keys already is opened by the provider that it knows, never by one that is made now."""
    assert settings.key_file is not None
    if settings.key_file.exists():
        return
    one = await connection(base.url(settings))
    try:
        if await one.fetchval("select to_regclass('shelf') is not null") and await one.fetchval(
            "select exists (select from shelf) or exists (select from territory_key)"
        ):
            raise Refused(
                f"Cette base a déjà une clé, et {settings.key_file} manque. La remettre à sa place, ou la refaire : "
                f"liaison keys recover {settings.key_file}"
            )
    finally:
        await one.close()


async def _found(settings: Settings, founder: Founder) -> tuple[str, str]:
    async with House.opened(settings) as house:
        token, code = await found(house, founder)
        await publish_shipped(house, "liaison init")
        return token, code
