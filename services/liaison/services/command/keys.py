"""`liaison keys`: the secret above all keys, in sealed envelopes and back; and the keys that sign tokens."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from liaison.auth.journal.acts import Act
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.keys import StillWaiting
from liaison.auth.oauth2.keys import ACCESS, IDENTITY, OVERLAP, retire
from liaison.auth.sessions import end_tokens
from liaison.fhir.vault import FileKeyProvider, ProviderError
from liaison.services.command import Refused, app
from liaison.services.command.backup import run
from liaison.services.custody import shares
from liaison.services.custody.shares import BadShare
from liaison.services.house import House, NoKey, key_provider
from liaison.services.opening import opening
from liaison.services.settings import Settings

keys = typer.Typer(
    help="The key above all keys (envelopes, recovery, state), and those that sign tokens.", no_args_is_help=True
)
app.add_typer(keys, name="keys")


@keys.command()
def status() -> None:
    """Which provider opens this base's keys, and how many there are. Shows no key."""
    settings = Settings()

    async def work() -> tuple[str, int, int, int]:
        async with opening(settings) as opened:
            one = opened.connection
            return (
                key_provider(settings).name,
                await one.fetchval("select count(*) from shelf"),
                await one.fetchval("select count(*) from patient where state = 0"),
                await one.fetchval("select count(*) from patient where state = 1"),
            )

    name, shelves, patients, erased = run(settings, work)
    typer.echo(f"Fournisseur : {name}.")
    typer.echo(f"{shelves} étagère(s), {patients} clés de personnes, {erased} détruites.")


class Rotated(StrEnum):
    """What can be rotated by hand."""

    SIGNING = "signing"
    JOURNAL = "journal"


@keys.command()
def rotate(
    which: Annotated[
        Rotated,
        typer.Argument(
            help="signing: the keys that sign access tokens and id_tokens. journal: the key that signs its checkpoints."
        ),
    ],
    compromised: Annotated[
        bool, typer.Option("--compromised", help="End every token and stop publishing the old keys, at once.")
    ] = False,
) -> None:
    """Make new keys; every worker signs with them from its next token on.

    The old ones stay published for an hour, so that no token ends before its time. The next checkpoint of the journal is
    signed by its old and its new key, which leads from one to the other; then the old one is destroyed."""
    settings = Settings()
    if which is Rotated.JOURNAL:
        if compromised:
            raise Refused(
                "--compromised is for tokens. A checkpoint kept by a partner is good whoever has the old key.", 2
            )
        typer.echo(
            f"Nouvelle clé du journal, à donner aux partenaires (liaison journal key) :\n{run(settings, _succeed)}"
        )
        typer.echo(
            "Elle signe dès le prochain point de contrôle : le service l'écrit, une seconde après l'entrée suivante."
        )
        return

    async def work() -> tuple[list[str], int]:
        async with House.opened(settings) as house:
            made = [await house.signing_keys.rotate(algorithm) for algorithm in (ACCESS, IDENTITY)]
            retired = await retire(house.database.writing, 0 if compromised else OVERLAP)
            if compromised:
                await end_tokens(house.database.writing)
            act = f"keys rotate {which}" + (" --compromised" if compromised else "")
            done = {"act": Act.SIGNING_KEYS, "compromised": compromised}
            await house.journal.record((Entry(Event.RIGHTS, method="console", path=act, detail=done),))
            return made, retired

    made, retired = run(settings, work)
    typer.echo(f"Nouvelles clés de signature : {', '.join(made)}.")
    typer.echo(f"Clés qui ne sont plus publiées : {retired}.")


async def _succeed() -> str:
    async with opening(Settings()) as opened:
        journal = await Journal.open(opened.database, opened.journal_keys)
        try:
            async with opened.connection.transaction():
                made = await opened.journal_keys.succeed(opened.connection)
                entry = Entry(
                    Event.KEYS,
                    method="console",
                    path=f"keys rotate journal {made.verifier}",
                    detail={"act": Act.JOURNAL_KEY},
                )
                await journal.record_within(opened.connection, [entry])
        except StillWaiting:
            raise Refused(
                "La clé d'avant attend encore son premier point de contrôle : démarrer le service (liaison serve)."
            ) from None
        finally:
            await journal.close()
        return str(made.verifier)


@keys.command()
def envelopes(
    needed: Annotated[int, typer.Option(help="How many codes give the key back.")] = 3,
    count: Annotated[int, typer.Option(help="How many codes to print.")] = 5,
) -> None:
    """Print the codes to be sealed, one an envelope, each held by another person. They replace no earlier ones.

    That they were printed stands in the journal before the first is shown."""
    settings = Settings()
    secret = _secret(settings)
    _split(secret, count, needed)  # what cannot be is refused before anything is noted

    async def note() -> None:
        async with opening(settings) as opened:
            journal = await Journal.open(opened.database, opened.journal_keys)
            await journal.record(
                [
                    Entry(
                        Event.KEYS,
                        method="console",
                        path=f"keys envelopes {needed}/{count}",
                        detail={"act": Act.ENVELOPES},
                    )
                ]
            )
            await journal.close()

    run(settings, note)
    print_codes(secret, count, needed)


def print_codes(secret: bytes, count: int, needed: int) -> None:
    """One code a paragraph: they are cut apart and sealed."""
    codes = _split(secret, count, needed)
    typer.echo(f"\nCodes de secours de la clé : {needed} sur {count} la redonnent (liaison keys recover).")
    typer.echo("Une enveloppe scellée par code, une personne par enveloppe. Rien n'en est gardé ici.\n")
    for number, code in enumerate(codes, 1):
        typer.echo(f"  Enveloppe {number}\n  {code}\n")


def _split(secret: bytes, count: int, needed: int) -> list[str]:
    try:
        return shares.split(secret, count, needed)
    except ValueError as error:
        raise Refused(str(error)) from None


def _secret(settings: Settings) -> bytes:
    try:
        key_provider(settings)  # says what is wrong with the file
        assert settings.key_file is not None
        return bytes.fromhex(settings.key_file.read_text().split()[1])
    except (NoKey, ProviderError) as error:
        raise Refused(str(error)) from None


@keys.command()
def recover(
    key_file: Annotated[Path, typer.Argument(help="Where to write the key file; LIAISON_KEY_FILE must name it.")],
) -> None:
    """Make the key file again from the codes of the envelopes, one a line."""
    found: list[str] = []
    while True:
        code = typer.prompt(f"Code {len(found) + 1} (vide pour finir)", default="", show_default=False).strip()
        if not code:
            break
        try:
            number = shares.check(code)
        except BadShare as error:
            typer.echo(f"  Ce code n'est pas bon : {error}. Le taper de nouveau.")
            continue
        typer.echo(f"  Code de l'enveloppe {number} : lu.")
        found.append(code)
    try:
        secret = shares.join(found) if found else b""
        if not secret:
            raise BadShare("aucun code")
        FileKeyProvider.write(key_file, secret)
    except BadShare as error:
        raise Refused(f"La clé n'a pas pu être refaite : {error}.") from None
    except ProviderError as error:
        raise Refused(str(error)) from None
    typer.echo(f"Clé écrite dans {key_file}. Vérifier qu'elle ouvre la base : liaison doctor.")
