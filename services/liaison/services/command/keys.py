"""`liaison keys`: the secret above all keys, in sealed envelopes and back (and rotate: keys_rotate)."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from liaison.auth.journal.acts import Act
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.people import visit_keys
from liaison.fhir.vault import FileKeyProvider, ProviderError
from liaison.services.command import Refused, app, keys_rotate
from liaison.services.command.backup import run
from liaison.services.custody import shares
from liaison.services.custody.shares import BadShare
from liaison.services.house import NoKey, key_provider
from liaison.services.opening import opening
from liaison.services.settings import Settings

keys = typer.Typer(
    help="The key above all keys (envelopes, recovery, state), and those that are replaced (rotate).",
    no_args_is_help=True,
)
app.add_typer(keys, name="keys")
keys.command()(keys_rotate.rotate)


@keys.command()
def status() -> None:
    """Which provider opens this base's keys, how many there are, and the names and ages of those that telephones seal visits to. Shows no key."""
    settings = Settings()

    async def work() -> tuple[str, int, int, int, list[tuple[str, timedelta]]]:
        async with opening(settings) as opened:
            one = opened.connection
            return (
                key_provider(settings).name,
                await one.fetchval("select count(*) from shelf"),
                await one.fetchval("select count(*) from patient where state = 0"),
                await one.fetchval("select count(*) from patient where state = 1"),
                await visit_keys.ages(one),
            )

    name, shelves, patients, erased, of_visits = run(settings, work)
    typer.echo(f"Fournisseur : {name}.")
    typer.echo(f"{shelves} étagère(s), {patients} clés de personnes, {erased} détruites.")
    if not of_visits:
        typer.echo("Clés des visites : aucune ; la première naît avec la première tournée d'un téléphone.")
    for at, (kid, age) in enumerate(of_visits):
        use = "sert aux nouvelles tournées" if at == 0 and age < visit_keys.ROTATED else "ouvre ce qui attend"
        typer.echo(f"Clé des visites {kid} : {age.days} jour(s), {use} ; détruite après {visit_keys.KEPT.days}.")


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
