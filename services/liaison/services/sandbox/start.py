"""What happens between `liaison sandbox` and the first request: the schema, the territory, the people, sandbox.json."""

from collections.abc import Callable
from typing import Any, Final

from liaison.auth.access import mandates
from liaison.fhir.store.database import UnknownSchema, check_schema
from liaison.services import base, installation
from liaison.services.house import House
from liaison.services.installation import Kind
from liaison.services.opening import opening
from liaison.services.sandbox import clients, people, unusual, urgent
from liaison.services.sandbox.folder import Folder
from liaison.services.sandbox.load import load_directory, load_patients
from liaison.services.sandbox.territory import Territory
from liaison.services.settings import Settings

CONVENTION: Final = "Convention fictive du territoire de démonstration"
PAGES: Final = {
    "welcome": "/territoire",
    "sign_in": "/connexion",
    "home_care": "/aujourdhui",
    "clinician": "/dossiers",
    "coordination": "/cohorte",
    "audit": "/journal",
    "example": clients.EXAMPLE_PATH,
}


async def fill(settings: Settings, folder: Folder, territory: Territory, progress: Callable[[int], None]) -> None:
    """A new base becomes a sandbox: declared first, then filled; sandbox.json is written last."""
    # Nothing is fetched or sent while it is filled; only a base that was declared may do either without leaving the machine.
    async with House.opened(
        settings.model_copy(update={"fetch_private_addresses": False, "message_spool": None})
    ) as house:
        async with house.database.writing.acquire() as connection:
            await installation.declare(connection, house.vault, Kind.SANDBOX)
        directory = await load_directory(house, territory)
        ids = house.store.ids
        owner = people.key_of(ids, directory[territory.directory["msp"]])
        auditors = people.key_of(ids, directory[territory.directory["union"]])
        # Before the patients: the rights of a client are derived when a patient's facts are written.
        async with house.database.writing.acquire() as connection, connection.transaction():
            await mandates.give(connection, house.vault, auditors.res, CONVENTION)
            software = await clients.register(connection, owner.res, settings.public_url)
        loaded = await load_patients(house, territory, directory, progress)
        async with house.database.writing.acquire() as connection, connection.transaction():
            accounts = await people.open_accounts(connection, ids, territory, loaded)
            await people.designate(connection, ids, accounts)
        await urgent.show(house, loaded)
        await unusual.show(house, loaded)
    content: dict[str, Any] = {
        "as_of": territory.clock.today.isoformat(),
        "clients": software,
        "people": accounts,
        "patients": [
            {
                "key": patient.key,
                "id": reference.partition("/")[2],
                "name": patient.name,
                "team": list(patient.team),
                "tour": list(patient.tour),
                "special": patient.special,
                "identity": patient.identity,
            }
            for patient, reference in loaded.patients
        ],
    }
    folder.write({**addresses(settings), **content})


async def check(settings: Settings) -> None:
    """Raises WrongInstallation unless the base that runs here was declared a sandbox."""
    async with opening(settings) as opened:
        if await installation.declared(opened.connection, opened.vault) is not Kind.SANDBOX:
            raise installation.WrongInstallation(
                "This database was not made as a sandbox, and cannot become one. Use another data folder."
            )


def addresses(settings: Settings) -> dict[str, Any]:
    """What changes when the sandbox starts on another port."""
    return {
        "fhir": settings.fhir_base,
        "issuer": settings.public_url,
        "token_endpoint": f"{settings.public_url}/oauth/token",
        "pages": {name: f"{settings.public_url}{path}" for name, path in PAGES.items()},
    }


async def _migrate(settings: Settings, folder: Folder) -> None:
    from liaison.services import migrations  # only now: it takes a second to load, and most starts change no table

    try:
        await migrations.migrate(base.url(settings))
    except UnknownSchema:
        raise installation.WrongInstallation(
            f"The sandbox in {folder.path} has tables that this version of Liaison does not know. Start it with the version "
            f"that made it, or make it anew: liaison sandbox --reset --data {folder.path}"
        ) from None


async def prepare(
    settings: Settings, folder: Folder, territory: Callable[[], Territory], progress: Callable[[int], None]
) -> bool:
    """Brings the running base to a filled sandbox. True when it was filled now, False when it was already."""
    try:
        await check_schema(base.url(settings))
    except UnknownSchema:
        await _migrate(settings, folder)
    if folder.complete:
        await check(settings)
        async with opening(settings) as opened:
            await clients.follow(opened.connection, settings.public_url)
        folder.write({**folder.read(), **addresses(settings)})
        return False
    await fill(settings, folder, territory(), progress)
    return True
