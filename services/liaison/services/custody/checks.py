"""What `liaison doctor` looks at. Each check gives one finding: OK, à voir or cassé, and what to do."""

import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import asyncpg

from liaison.auth.access import adopted, regranting
from liaison.auth.access.table import BadTable
from liaison.auth.journal import expiry, verdicts
from liaison.auth.journal.checkpoint import Verifier
from liaison.auth.journal.glance import glance
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.verify import Broken
from liaison.auth.retention.records import records, today
from liaison.auth.retention.rules import in_force
from liaison.fhir.search.index import GENERATION
from liaison.fhir.store.database import SCHEMA, UNFINISHED, connection
from liaison.fhir.store.reindex import is_behind
from liaison.fhir.vault import NotAuthentic, ProviderError, Vault
from liaison.services import base
from liaison.services.custody import messaging, outside, papers
from liaison.services.custody.finding import BROKEN, LOOK, OK, Finding, Level
from liaison.services.house import NoKey, key_provider
from liaison.services.installation import FICTITIOUS, Kind, WrongInstallation, declared
from liaison.services.mishaps import sentence
from liaison.services.sandbox.folder import MARKER
from liaison.services.settings import Settings

__all__ = ["BROKEN", "LOOK", "OK", "Finding", "examine"]

GIGABYTE: Final = 1024**3
FOUND: Final = "Fonder l'installation : liaison init"


async def examine(settings: Settings) -> list[Finding]:
    """Every check, in the order in which they should be mended."""
    found = [
        *_looked("disque", lambda: (disk(settings.data),)),
        *_looked("fichier de clé", lambda: (key_place(settings),)),
        *_looked("HDS", lambda: hds(settings, datetime.now(UTC).date())),
        *_looked("sauvegarde", lambda: backups(settings)),
    ]
    try:
        one = await connection(base.url(settings))
    except (base.NoDatabase, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        fix = "Démarrer le service : liaison serve. Le journal de PostgreSQL est dans le dossier database."
        if not settings.database_url and not (base.folder(settings) / "cluster").exists():
            fix = f"{FOUND} (ou régler LIAISON_DATA, si elle est ailleurs)."
        said = str(error) if isinstance(error, base.NoDatabase) else sentence(error)
        if (settings.data / MARKER).exists():
            fix = f"Démarrer le bac à sable : liaison sandbox --data {settings.data}"
        return [Finding("base", BROKEN, f"la base ne répond pas ({said})", fix), *found]
    try:
        return [*await _of_base(one, settings), *found]
    finally:
        await one.close()


def _looked(name: str, look: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
    """What the check finds; a file that cannot be read, or holds something else, is a finding too."""
    try:
        return look()
    except OSError as error:
        return (Finding(name, BROKEN, sentence(error), "Lancer la commande sous le compte du service."),)
    except (ValueError, TypeError, KeyError, AttributeError):
        fix = "Remettre d'une sauvegarde les fichiers .json de LIAISON_DATA et de LIAISON_OUTSIDE, ou les écarter."
        return (Finding(name, BROKEN, "un de ses fichiers ne se lit pas", fix),)


async def _of_base(one: asyncpg.Connection, settings: Settings) -> list[Finding]:
    found = [await schema(one)]
    if found[0].level == BROKEN:
        if (settings.data / MARKER).exists():
            fix = f"Arrêter le bac à sable et le redémarrer, ce qui met la base à niveau : liaison sandbox --data {settings.data}"
            return [replace(found[0], fix=fix)]
        return found
    found.append(await clock(one))
    found.append(await index(one))
    found.append(await rules(one))
    try:
        vault = await Vault.open(one, key_provider(settings))
        keys = await JournalKeys.load(one, vault)
    except (NoKey, ProviderError, NotAuthentic) as error:
        fix = "Remettre le fichier de clé à sa place (LIAISON_KEY_FILE), ou le refaire : liaison keys recover."
        return [*found, Finding("clé", BROKEN, str(error) or "les clés de la base ne s'ouvrent pas", fix)]
    found.insert(1, await nature(one, vault))
    found.append(Finding("clé", OK, "le fournisseur de clés ouvre les clés de la base"))
    found.append(await journal_head(one, keys.signer.verifier, settings.outside_folder))
    found.append(await journal_verified(one, vault))
    found.append(await journal_waiting(one))
    found.append(await journal_months(one, settings))
    found.append(await retention(one, vault))
    found.append(await messaging.messages(one, settings))
    return found


# ---- the base -----------------------------------------------------------------------------------------------------


async def schema(one: asyncpg.Connection) -> Finding:
    version = await one.fetchval("show server_version")
    if await one.fetchval("select to_regclass('alembic_version') is null"):
        return Finding("base", BROKEN, f"PostgreSQL {version} répond, sans les tables de Liaison", FOUND)
    revision = await one.fetchval("select version_num from alembic_version")
    if revision == UNFINISHED:
        fix = "Lire deploy/restore.md : déplacer la base et reprendre la restauration depuis le début."
        return Finding("base", BROKEN, "une restauration n'est pas allée à son terme", fix)
    if revision != SCHEMA:
        return Finding("base", BROKEN, f"schéma {revision}, ce logiciel attend {SCHEMA}", "liaison migrate")
    return Finding("base", OK, f"PostgreSQL {version}, schéma {revision}")


async def nature(one: asyncpg.Connection, vault: Vault) -> Finding:
    """A sandbox, or an installation for real people: whoever reads the rest must know which."""
    try:
        kind = await declared(one, vault)
    except WrongInstallation:
        text = "la base dit ce qu'elle est par une ligne que Liaison n'a pas écrite"
        return Finding("nature", BROKEN, text, "Remettre la base d'une sauvegarde : deploy/restore.md.")
    if kind is Kind.SANDBOX:
        return Finding("nature", OK, FICTITIOUS)
    if kind is Kind.PRODUCTION:
        return Finding("nature", OK, "installation réelle")
    return Finding("nature", LOOK, "l'installation n'est pas fondée", FOUND)


async def index(one: asyncpg.Connection) -> Finding:
    if await is_behind(one, GENERATION):
        text = "l'index de recherche est d'une version antérieure, ou refait à moitié : une recherche peut ne pas tout trouver"
        return Finding("index", LOOK, text, "le service le refait de lui-même ; s'il est arrêté : liaison reindex")
    waiting = await one.fetchval("select count(*) from search_parameter where state = 0")
    being = f" ; {waiting} paramètre(s) ajouté(s) en cours d'indexation par le service" if waiting else ""
    return Finding("index", OK, f"l'index de recherche est à jour{being}")


async def rules(one: asyncpg.Connection) -> Finding:
    """Which table of rules is in force, and whether every grant is of it."""
    *_, reign = await adopted.reigns(one)
    whence = f"adoptée le {reign.since:%d/%m/%Y}" if reign.digest and reign.since else "livrée avec le logiciel"
    text = f"version {reign.version} du {reign.dated:%d/%m/%Y}, {whence}"
    try:
        await adopted.in_force(one)
    except BadTable:
        fix = "Adopter une table que ce logiciel comprend : liaison rules check FICHIER, puis liaison rules adopt FICHIER."
        return Finding("règles", BROKEN, f"{text} : ce logiciel ne la comprend pas", fix)
    if (place := await regranting.under_way(one)) is not None:
        fix = "Le service continue de lui-même (liaison serve). Sans lui : liaison rules adopt --continue."
        return Finding("règles", LOOK, f"{text} ; droits recalculés : {place.done} dossiers sur {place.total}", fix)
    if newer := adopted.newer_packaged(reign):
        fix = "La lire (docs/rights.md) et décider : liaison rules withdraw, ou liaison rules adopt FICHIER."
        text = f"{text} ; le logiciel en livre une plus récente, version {newer.version} du {newer.dated:%d/%m/%Y}"
        return Finding("règles", LOOK, text, fix)
    return Finding("règles", OK, text)


async def clock(one: asyncpg.Connection) -> Finding:
    """Rights end by the database's clock, entries are dated by the worker's."""
    before = datetime.now(UTC)
    theirs = await one.fetchval("select clock_timestamp()")
    off = abs((theirs - before).total_seconds())
    fix = "Régler l'heure des machines : systemctl enable --now systemd-timesyncd (ou chrony)."
    if off > 30:
        return Finding("horloge", BROKEN, f"{off:.0f} s d'écart entre la base et cette machine", fix)
    if off > 2:
        return Finding("horloge", LOOK, f"{off:.0f} s d'écart entre la base et cette machine", fix)
    return Finding("horloge", OK, "la base et cette machine sont à la même heure")


# ---- the journal --------------------------------------------------------------------------------------------------


async def journal_head(one: asyncpg.Connection, key: Verifier, kept: Path) -> Finding:
    """The last checkpoint is signed and is the tree's; so is the one kept outside. `journal verify` checks every entry."""
    fix = "liaison journal verify dit où. Prévenir le délégué à la protection des données ; ne rien effacer."
    try:
        async with one.transaction(isolation="repeatable_read", readonly=True):
            seen = await glance(one, key, outside.checkpoints(kept))
    except Broken as broken:
        return Finding("journal", BROKEN, f"{broken.where}: {broken.what}", fix)
    if seen.at is None:
        return Finding(
            "journal", LOOK, "aucun point de contrôle n'est encore signé", "Démarrer le service : liaison serve."
        )
    return Finding(
        "journal",
        OK,
        f"{seen.at.size} entrées, dernier point de contrôle signé le {seen.signed_at:%d/%m/%Y à %H:%M} UTC",
    )


async def journal_verified(one: asyncpg.Connection, vault: Vault) -> Finding:
    """What the last complete verification found; the service makes one a day."""
    known = await verdicts.latest(one, vault)
    if known.told is None or known.made_at is None:
        return Finding(
            "journal, vérification", OK, "le service fait la première ; liaison journal verify dit tout de suite"
        )
    if known.told.where:
        fix = "Prévenir le délégué à la protection des données ; ne rien effacer. liaison journal verify le refait."
        return Finding("journal, vérification", BROKEN, f"{known.told.where}: {known.told.what}", fix)
    text = f"{known.told.size} entrées relues une à une le {known.made_at:%d/%m/%Y à %H:%M} UTC"
    if datetime.now(UTC) - known.made_at > timedelta(days=3):
        return Finding(
            "journal, vérification", LOOK, text, "Démarrer le service, qui relit tout chaque jour : liaison serve."
        )
    return Finding("journal, vérification", OK, text)


async def journal_waiting(one: asyncpg.Connection) -> Finding:
    oldest = await one.fetchval(
        "select min(e.at) from journal_entry e where not exists"
        " (select from journal_position p where p.worker = e.worker and p.sequence = e.sequence)"
        " and e.at > coalesce((select made_at from journal_checkpoint order by size desc limit 1), '-infinity') - interval '1 hour'"
    )
    if oldest is not None and datetime.now(UTC) - oldest > timedelta(seconds=10):
        text = f"des entrées attendent leur place depuis {oldest:%d/%m/%Y %H:%M} UTC"
        return Finding(
            "journal, attente", LOOK, text, "Démarrer le service : liaison serve. S'il tourne, lire ses messages."
        )
    return Finding("journal, attente", OK, "toutes les entrées ont leur place")


# ---- how long records are kept ------------------------------------------------------------------------------------


async def retention(one: asyncpg.Connection, vault: Vault) -> Finding:
    """How many records are due, and how many are on hold (CSP R.1112-7). Names none."""
    try:
        day, known = await today(one), await records(one, vault, in_force().rules)
    except NotAuthentic:
        fix = "Prévenir le délégué à la protection des données ; remettre la base d'une sauvegarde (deploy/restore.md)."
        return Finding("conservation", BROKEN, "un dossier patient ne s'ouvre pas avec sa clé", fix)
    due = sum(record.over(day) and not record.held for record in known)
    text = f"{due} dossier(s) au terme de leur conservation, {sum(record.held for record in known)} retenu(s) par une mesure"
    if due:
        return Finding("conservation", LOOK, text, "liaison retention plan, puis la décision (deploy/README.md)")
    return Finding("conservation", OK, text)


# ---- the machine and its papers -----------------------------------------------------------------------------------


def disk(data: Path) -> Finding:
    there = next(folder for folder in (data.absolute(), *data.absolute().parents) if folder.exists())
    usage = shutil.disk_usage(there)
    free = f"{usage.free / GIGABYTE:.1f} Go libres ({100 * usage.free / usage.total:.0f} %)"
    fix = f"Libérer de la place ou agrandir le disque de {data}."
    if usage.free < GIGABYTE or usage.free < usage.total * 0.02:
        return Finding("disque", BROKEN, free, fix)
    if usage.free < 5 * GIGABYTE or usage.free < usage.total * 0.1:
        return Finding("disque", LOOK, free, fix)
    return Finding("disque", OK, free)


def key_place(settings: Settings) -> Finding:
    """A copy of the data folder must not carry the secret that opens it."""
    if settings.key_file is None:
        return Finding("fichier de clé", BROKEN, "LIAISON_KEY_FILE n'est pas réglé", "Voir docs/configuration.md.")
    if folder := settings.key_within:
        fix = f"Le déplacer hors de {folder} et changer LIAISON_KEY_FILE."
        return Finding("fichier de clé", BROKEN, f"la clé est dans le dossier des données {folder}", fix)
    return Finding("fichier de clé", OK, "la clé est hors du dossier des données")


def hds(settings: Settings, today: date) -> Sequence[Finding]:
    """Certified hosting (CSP L.1111-8). Said only where `init` was run: the sandbox holds no one's data."""
    known = papers.read(settings.data)
    if known is None:
        return ()
    days = (known.expires - today).days
    text = f"hébergement {known.hds_host}, certificat HDS jusqu'au {known.expires:%d/%m/%Y}"
    fix = "Demander à l'hébergeur son nouveau certificat, puis : liaison init --hds-until AAAA-MM-JJ"
    level: Level = BROKEN if days < 0 else LOOK if days < 90 else OK
    return (Finding("HDS", level, text, "" if level == OK else fix),)


async def journal_months(one: asyncpg.Connection, settings: Settings) -> Finding:
    """Months of the journal whose time is over, by what `init` was told."""
    known = papers.read(settings.data)
    years = known.journal_years if known else expiry.YEARS
    over = await expiry.due(one, datetime.now(UTC), years)
    if over:
        text = f"{len(over)} mois ont plus de {years} ans et peuvent encore être relus"
        return Finding("journal, durée", LOOK, text, "liaison journal expire, puis --destroy avec la décision.")
    return Finding("journal, durée", OK, f"ce qu'il dit peut être relu {years} ans")


def backups(settings: Settings) -> Sequence[Finding]:
    known = papers.backups(settings.outside_folder)
    last = _aged("sauvegarde", known.get("last"), timedelta(hours=26), timedelta(days=8), "liaison backup --to DOSSIER")
    tried = _aged(
        "essai de restauration",
        known.get("tried"),
        timedelta(days=100),
        timedelta(days=366),
        "liaison backup verify DOSSIER",
    )
    return (last, tried)


def _aged(name: str, done: dict[str, str] | None, old: timedelta, too_old: timedelta, fix: str) -> Finding:
    if done is None:
        return Finding(name, LOOK, "jamais fait", fix)
    at = datetime.fromisoformat(done["at"])
    age = datetime.now(UTC) - at
    level: Level = BROKEN if age > too_old else LOOK if age > old else OK
    return Finding(name, level, f"le {at:%d/%m/%Y à %H:%M} UTC", "" if level == OK else fix)


Check = Callable[[Settings], Awaitable[Finding]]
