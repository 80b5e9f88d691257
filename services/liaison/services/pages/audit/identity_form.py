"""From an identity that is typed, with a reason, to the number of a record: the reasoned unmask, itself an entry."""

from datetime import date
from typing import Any, Final

from starlette.requests import Request

from liaison.auth.caller import Caller
from liaison.auth.journal.unmask import tokens_of_ins, tokens_of_traits, unmask
from liaison.fhir.store.ids import Ids
from liaison.services.pages.marking import _

PATIENT_ASKS: Final = _("Demande du patient")
REASONS: Final = (
    PATIENT_ASKS,
    _("Contrôle régulier"),
    _("Accès d'urgence à revoir"),
    _("Signalement"),
)


class NotFoundBy(Exception):
    """Why there is no one record: a French sentence, and the status of the page that says it."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.sentence, self.status = sentence, status


async def given(request: Request) -> dict[str, str]:
    """What was typed."""
    return {name: str(value).strip() for name, value in (await request.form()).items()}


async def record_of(request: Request, caller: Caller, form: dict[str, str], reason: str) -> str:
    """The id of the record. Raises NotFoundBy."""
    house = request.app.state.house
    tokens = _tokens(house.vault, form)
    if not tokens or reason not in REASONS:
        raise NotFoundBy(
            _("Il faut un matricule INS, ou le nom, le prénom et la date de naissance, et un motif."), 400
        )  # fmt: skip
    found = await unmask(house.database.reading, house.journal, caller, tokens, reason)
    if not found:
        raise NotFoundBy(_("Personne n'est connu sous cette identité."), 404)
    if len(found) > 1:
        raise NotFoundBy(_("Plusieurs dossiers portent cette identité : donnez le matricule INS."), 409)
    return Ids(house.vault.id_key).encode(found[0])


def _tokens(vault: Any, form: dict[str, str]) -> list[tuple[int, bytes]]:
    if form.get("ins"):
        return tokens_of_ins(vault, form["ins"])
    try:
        birth = date.fromisoformat(form.get("birth", ""))
    except ValueError:
        return []
    if not form.get("family") or not form.get("given"):
        return []
    return tokens_of_traits(vault, form["family"], form["given"], birth)
