"""The looks at the cohort that somebody keeps under a name of theirs."""

from collections.abc import Mapping

from starlette.requests import Request

from liaison.auth.people import saved_views
from liaison.auth.people.saved_views import SavedView
from liaison.fhir.store import faults
from liaison.services.pages.coordination.asked import Asked, Known, kept
from liaison.services.pages.marking import _


async def of(request: Request, account: int, known: Known) -> list[tuple[SavedView, Asked]]:
    """By name, each with what it asks for today."""
    house = request.app.state.house
    with faults.reported():
        found = await saved_views.of(house.database.reading, house.vault.territory, account)
    return [(one, kept(one.query, known)) for one in found]


async def change(request: Request, account: int, look: Asked, form: Mapping[str, object]) -> str:
    """Keeps this look, or forgets one; what is wrong otherwise, in words to be translated."""
    house = request.app.state.house
    number, name = str(form.get("view", "")), str(form.get("name", "")).strip()[: saved_views.LONGEST]
    with faults.reported():
        async with house.database.writing.acquire() as connection:
            if form.get("act") == "forget":
                if number.isascii() and number.isdecimal() and len(number) < 19:
                    await saved_views.forget(connection, account, int(number))
                return ""
            if not name:
                return _("Donnez un nom à cette vue.")
            if not await saved_views.keep(connection, house.vault.territory, account, name, look.address):
                return _("Vous gardez déjà vingt vues : retirez-en une.")
    return ""
