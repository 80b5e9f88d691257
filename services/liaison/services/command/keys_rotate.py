"""`liaison keys rotate`: new keys in the place of those that sign tokens, sign the journal, or seal the visits of telephones."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from liaison.auth.journal.acts import Act
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.keys import StillWaiting
from liaison.auth.oauth2.keys import ACCESS, IDENTITY, OVERLAP, retire
from liaison.auth.people import visit_keys
from liaison.auth.sessions import end_tokens
from liaison.services.command import Refused
from liaison.services.command.backup import run
from liaison.services.house import House
from liaison.services.opening import opening
from liaison.services.settings import Settings


class Rotated(StrEnum):
    """What can be rotated by hand."""

    SIGNING = "signing"
    JOURNAL = "journal"
    VISITS = "visits"


_KEPT_OPEN: Final = {
    Rotated.JOURNAL: "--compromised is for tokens. A checkpoint kept by a partner is good whoever has the old key.",
    Rotated.VISITS: "--compromised is for tokens. Without the old key the visits that wait on a telephone would be lost.",
}


def rotate(
    which: Annotated[
        Rotated,
        typer.Argument(
            help="signing: the keys that sign access tokens and id_tokens. journal: the key that signs its checkpoints."
            " visits: the key to which telephones seal finished visits."
        ),
    ],
    compromised: Annotated[
        bool, typer.Option("--compromised", help="End every token and stop publishing the old keys, at once.")
    ] = False,
) -> None:
    """Make new keys; every worker signs with them from its next token on.

    The old ones stay published for an hour, so that no token ends before its time. The next checkpoint of the journal is
    signed by its old and its new key, which leads from one to the other; then the old one is destroyed. The key of visits
    is replaced every 30 days without this; an old one opens for 90 days what waits on a telephone."""
    if compromised and which in _KEPT_OPEN:
        raise Refused(_KEPT_OPEN[which], 2)
    if which is Rotated.JOURNAL:
        typer.echo(
            f"Nouvelle clé du journal, à donner aux partenaires (liaison journal key) :\n{run(Settings(), _succeed)}"
        )
        typer.echo(
            "Elle signe dès le prochain point de contrôle : le service l'écrit, une seconde après l'entrée suivante."
        )
    elif which is Rotated.VISITS:
        typer.echo(
            f"Nouvelle clé des visites : {run(Settings(), _visits)}. Un téléphone la reçoit avec sa prochaine tournée."
        )
    else:
        _signing(compromised)


def _signing(compromised: bool) -> None:
    settings = Settings()

    async def work() -> tuple[list[str], int]:
        async with House.opened(settings) as house:
            made = [await house.signing_keys.rotate(algorithm) for algorithm in (ACCESS, IDENTITY)]
            retired = await retire(house.database.writing, 0 if compromised else OVERLAP)
            if compromised:
                await end_tokens(house.database.writing)
            act = f"keys rotate {Rotated.SIGNING}" + (" --compromised" if compromised else "")
            done = {"act": Act.SIGNING_KEYS, "compromised": compromised}
            await house.journal.record((Entry(Event.RIGHTS, method="console", path=act, detail=done),))
            return made, retired

    made, retired = run(settings, work)
    typer.echo(f"Nouvelles clés de signature : {', '.join(made)}.")
    typer.echo(f"Clés qui ne sont plus publiées : {retired}.")


async def _visits() -> str:
    """Its name."""
    async with House.opened(Settings()) as house, house.database.writing.acquire() as one, one.transaction():
        made = await visit_keys.rotate(one, house.vault.territory)
        act, done = f"keys rotate visits {made.kid}", {"act": Act.VISIT_KEY}
        await house.journal.record_within(one, [Entry(Event.KEYS, method="console", path=act, detail=done)])
        return made.kid


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
