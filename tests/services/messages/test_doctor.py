"""What `liaison doctor` says of the mailbox: off, well, not entered, and what did not arrive; never a secret."""

from typing import Any

import pytest

from liaison.services.custody.finding import BROKEN, LOOK, OK
from liaison.services.custody.messaging import messages
from liaison.services.house import House
from liaison.services.installation import Kind, WrongInstallation
from liaison.services.settings import Settings

from ..oauth.conftest import Place, declared_as, place, settings
from .post_office import ADDRESS, NO_IMAP, PASSWORD, PostOffice, office, open_office

__all__ = ["office", "open_office", "place", "settings"]


def with_operator(settings: Settings, office: PostOffice, **more: Any) -> Settings:
    known = {
        "mssante_smtp": office.smtp,
        "mssante_imap": office.imap,
        "mssante_address": ADDRESS,
        "mssante_login_file": office.login,
        "mssante_domains": ("mssante.example",),
        "mssante_ca_file": office.authority,
    }
    return settings.model_copy(update=known | more)


async def test_off_is_well(place: Place, settings: Settings) -> None:
    async with place.house.database.reading.acquire() as one:
        assert (await messages(one, settings)).level == OK


async def test_it_signs_in_and_says_what_did_not_arrive(place: Place, settings: Settings, office: PostOffice) -> None:
    if not office.imap:
        pytest.skip(NO_IMAP)
    known = with_operator(settings, office)
    async with place.house.database.writing.acquire() as one:
        assert (await messages(one, known)).level == OK
        assert (await messages(one, known.model_copy(update={"mssante_imap": ""}))).level == LOOK
        await one.execute(
            "insert into alert_message (patient, res, recipient, channel, due, message, state)"
            " values (1, 1, 1, 'mssante', now(), 'x', 'undelivered')"
        )
        found = await messages(one, known)
        assert (found.level, "1 message(s) non remis" in found.text) == (LOOK, True)


async def test_a_wrong_password_is_said_without_it(place: Place, settings: Settings, office: PostOffice) -> None:
    login = office.folder / "wrong"
    login.write_text(f"{ADDRESS}\n{PASSWORD}-mais-non\n")
    login.chmod(0o600)
    known = with_operator(settings, office, mssante_login_file=login)
    async with place.house.database.reading.acquire() as one:
        found = await messages(one, known)
    assert (found.level, "SMTPAuthenticationError" in found.text) == (BROKEN, True)
    assert PASSWORD not in f"{found}{known!r}" and ADDRESS not in found.text


async def test_only_a_sandbox_keeps_messages_in_a_folder(place: Place, settings: Settings) -> None:
    await declared_as(place, Kind.PRODUCTION)
    spooling = settings.model_copy(update={"message_spool": settings.data / "messages"})
    with pytest.raises(WrongInstallation, match="LIAISON_MESSAGE_SPOOL"):
        async with House.opened(spooling):
            pass
