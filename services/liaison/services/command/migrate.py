"""`liaison migrate`: bring the database's tables to what this version of Liaison works with."""

from liaison.fhir.store.database import UnknownSchema
from liaison.services import base, migrations
from liaison.services.command import Refused, app
from liaison.services.settings import Settings


@app.command()
def migrate() -> None:
    """Bring the database's tables to this version. All of it or nothing; running it twice changes nothing."""
    settings = Settings()
    try:
        with base.running(settings):
            migrations.migrate_now(base.url(settings))
    except (base.NoDatabase, UnknownSchema) as error:
        raise Refused(str(error)) from None
    print(f"The database is at schema {migrations.head()}.")  # noqa: T201  # the command's result
