"""`liaison restore`: an empty base from a backup. deploy/restore.md is the page to follow."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from liaison.fhir.vault import ProviderError
from liaison.services import base
from liaison.services.command import Refused, app
from liaison.services.command.backup import run
from liaison.services.custody import papers
from liaison.services.custody.outside import STATE
from liaison.services.custody.restore import Restored
from liaison.services.custody.restore import restore as put_back
from liaison.services.house import NoKey, key_provider
from liaison.services.installation import FICTITIOUS, Kind
from liaison.services.settings import Settings


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="The backup: a folder liaison-….")],
    without_outside: Annotated[
        bool, typer.Option(help="There is nothing in LIAISON_OUTSIDE to replay, and that is accepted.")
    ] = False,
) -> None:
    """Restore into a new base, replay what happened after the backup, declare the break in the journal."""
    settings = Settings()
    try:
        provider = key_provider(settings)
    except (NoKey, ProviderError) as error:
        raise Refused(str(error)) from None
    kept = settings.outside_folder
    if not (kept / STATE).exists() and not without_outside:
        raise Refused(
            f"Rien n'est gardé dans {kept} : les effacements, oppositions et révocations faits après la sauvegarde "
            "reviendraient. Remettre ce dossier en place, ou accepter par écrit et relancer avec --without-outside."
        )
    with Console(stderr=True).status("Restauration…") as status:

        async def work() -> Restored:
            return await put_back(
                base.url(settings),
                provider,
                folder,
                None if without_outside else kept,
                lambda step: status.update(f"Restauration : {step}"),
            )

        done = run(settings, work, new=True)
    papers.put_back(settings.data, done.manifest.papers)
    _say(done)


def _say(done: Restored) -> None:
    again = done.replayed
    typer.echo(f"Base restaurée à l'état du {done.manifest.made_at}.")
    if done.kind is Kind.SANDBOX:
        typer.echo(f"{FICTITIOUS} Elle ne sert que dans le dossier d'un bac à sable : liaison serve la refuse.")
    typer.echo(f"Journal entier : {done.verdict.entries} entrées placées, {done.verdict.waiting} en attente.")
    typer.echo(
        f"Rejoué : {again.erased} effacements, {again.resources} ressources de droits (oppositions, équipes, rôles), "
        f"{again.accounts} comptes, {again.clients} clients, {again.phones} téléphones."
    )
    if again.rules:
        typer.echo(f"Règles : {again.rules} décision(s) remise(s) en vigueur, et tous les droits recalculés.")
    if again.secrets:
        typer.echo(
            f"Oubliés, parce qu'ils n'étaient plus en vigueur : {again.secrets} secrets ou clés. Qui n'entre plus reçoit "
            "un nouveau lien (Comptes, ou liaison user) ; un logiciel mis hors service redonne sa clé."
        )
    if done.lost_since:
        size = done.lost_since.split("\n")[1]
        typer.echo(f"Le journal allait jusqu'à {size} entrées : ce qui manque est perdu, et le journal le déclare.")
    typer.echo("Personne n'est connecté. Suite : liaison doctor, puis liaison serve.")
