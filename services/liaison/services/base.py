"""Where the database is: the embedded one under the data folder, or the one that LIAISON_DATABASE_URL names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from liaison.fhir.store.embedded import Embedded, EmbeddedError, NoConfinement, NotRunning
from liaison.services.sandbox.folder import MARKER
from liaison.services.settings import Settings

LEAST_FREE: Final = 16 * 2**20
"""Bytes: a file of PostgreSQL's log. With less it can no longer be sure to write."""


class NoDatabase(RuntimeError):
    """There is no database to work with. The text says what to do."""


def folder(settings: Settings) -> Path:
    """The embedded server's own folder."""
    return settings.data / "database"


def url(settings: Settings) -> str:
    """The database as it can be reached now. An embedded server that was restarted has a new address: ask again."""
    if settings.database_url:
        return settings.database_url
    try:
        return Embedded.attach(folder(settings)).url
    except NotRunning:
        require(settings)
        starts = f"liaison sandbox --data {settings.data}" if (settings.data / MARKER).exists() else "liaison serve"
        raise NoDatabase(f"No database runs in {settings.data}. Start the service first: {starts}") from None


def require(settings: Settings) -> None:
    """Raises NoDatabase where none was ever made."""
    if not settings.database_url and not (folder(settings) / "cluster").exists():
        raise NoDatabase(
            f"There is no installation in {settings.data} (LIAISON_DATA). Found one: liaison init. Only to try Liaison: "
            "liaison sandbox"
        )


@contextmanager
def standing(settings: Settings) -> Iterator[None]:
    """`running`, for a command that works on an installation and makes none."""
    require(settings)
    with running(settings):
        yield


@contextmanager
def running(settings: Settings, progress: bool = False) -> Iterator[Embedded | None]:
    """The database for the time of a command: shared if a service has it, else started and stopped here.

    Yields the supervisor when this process is the one that supervises, None otherwise.
    """
    if settings.database_url:
        yield None
        return
    where = folder(settings)
    try:
        Embedded.attach(where)
    except NotRunning:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            supervisor = Embedded(where, progress=print if progress else lambda _: None)
            supervisor.start()
        except (EmbeddedError, NoConfinement) as error:
            raise NoDatabase(str(error)) from None
        try:
            yield supervisor
        finally:
            supervisor.stop()
    else:
        yield None
