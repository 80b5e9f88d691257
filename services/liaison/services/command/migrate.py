"""`liaison migrate`: bring the database's tables, and the protocols, to what this version of Liaison works with."""

import asyncio

import typer

from liaison.fhir.store.database import UnknownSchema
from liaison.services import base, migrations
from liaison.services.command import Refused, app
from liaison.services.house import House
from liaison.services.installation import declared
from liaison.services.library.publishing import publish_shipped
from liaison.services.settings import Settings


@app.command()
def migrate() -> None:
    """Bring the database's tables to this version. All of it or nothing; running it twice changes nothing. The protocols that
    come with this version are published with it."""
    settings = Settings()
    try:
        with base.running(settings):
            migrations.migrate_now(base.url(settings))
            told = asyncio.run(_publish(settings))
    except (base.NoDatabase, UnknownSchema) as error:
        raise Refused(str(error)) from None
    for line in told:
        typer.echo(line)
    typer.echo(f"The database is at schema {migrations.head()}.")


async def _publish(settings: Settings) -> list[str]:
    """What to say of it. A base that nobody founded yet has none; nor is anything published without the key."""
    if settings.key_file is None or not settings.key_file.exists():
        return [
            "The protocols of this version are not published: no key here. Later: liaison protocol publish --by NAME."
        ]
    async with House.opened(settings) as house:
        if await declared(house.database.reading, house.vault) is None:
            return []
        new, problems = await publish_shipped(house, "liaison migrate")
        return [*(f"published: {one.canonical}" for one in new), *(f"{one}" for one in problems)]
