"""The service writes to those who come to a session: once each, the day and the hour and nothing else, and says what became of it."""

import asyncio
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from liaison.auth.journal.entry import Event
from liaison.services.jobs import messaging
from liaison.services.messages import outbox
from liaison.services.messages.carriers import Carriers, Later, Spool, Undeliverable, carriers

from ...messages.post_office import ADDRESS, PASSWORD, PostOffice, office, open_office, opened
from ...oauth.conftest import Place
from ..audit.test_unusual import told as in_the_journal
from ..browsing import text
from .test_sessions import act, ask, enrol, found, plan, room

__all__ = ["office", "open_office", "room"]


class Broken:
    """A mail service that does not take anything now, or never will."""

    sender = "x"

    def __init__(self, error: Later) -> None:
        self.error = error

    async def notify(self, to: str, name: str, text: str, subject: str) -> None:
        raise self.error


@pytest.fixture
async def session(place: Place, room: str) -> str:
    """One to come, with one person on its list, who has a mailbox; the service sends e-mail."""
    tree = await ask(place, "GET", f"Patient/{place.patient}")
    mailbox = {"system": "email", "value": "jeanne@exemple.fr"}
    await ask(place, "PUT", f"Patient/{place.patient}", {**tree, "telecom": [*tree.get("telecom", []), mailbox]})
    place.house.carriers = on(place)
    async with place.signed_in() as nurse:
        path = (await plan(nurse, room, 10)).headers["location"]
        assert (await enrol(nurse, path)).status_code == 303
    return path


def folder(place: Place) -> Path:
    return place.house.settings.data / "spool"


def on(place: Place, email: Any = None) -> Carriers:
    return Carriers(notices={"email": email or Spool(folder(place))})


async def work(place: Place, carriers: Carriers | None = None) -> int:
    """The job of one worker, once; how many messages it tried."""
    async with place.house.database.writing.acquire() as one:
        await one.execute("update alert_message set next_at = now() where state = 'waiting'")
        return await messaging.send(one, place.house.engine, carriers or place.house.carriers)


def mails(place: Place) -> list[tuple[str, str, str]]:
    """(to, subject, text)."""
    read = [message_from_bytes(one.read_bytes(), policy=policy.default) for one in sorted(folder(place).glob("*.eml"))]
    return [(str(one["To"]), str(one["Subject"]), one.get_content().strip()) for one in read]


async def messages(place: Place) -> list[dict[str, Any]]:
    return await found(place, "Communication", f"patient={place.patient}&_count=20")


async def test_each_is_written_to_once_and_told_the_day_and_the_hour_alone(place: Place, session: str) -> None:
    async with place.signed_in() as nurse:
        shown = await nurse.get(session)
        assert "Prévenir 1 personne par e-mail" in text(shown)
        assert "mailto:" not in shown.text
        for _again in range(2):
            await act(nurse, session, act="convoke")
        assert "E-mail en cours d’envoi" in text(await nurse.get(session))

        assert (await work(place), await work(place)) == (1, 0)

        page = text(await nurse.get(session))
        assert "Prévenu par e-mail" in page
        assert "Prévenir 1 personne" not in page
        refused = await act(nurse, session, act="convoke")
        assert (refused.status_code, "sont déjà prévenus" in text(refused)) == (422, True)
    [(to, subject, words)] = mails(place)
    assert (to, subject) == ("jeanne@exemple.fr", "Rendez-vous")
    assert "Vous avez un rendez-vous le " in words
    assert " à 14 h 00." in words
    for of_it in ("atelier", "BPCO", "Salle", "NURSE", "Jeanne", "http"):
        assert of_it.lower() not in words.lower()
    [told] = await messages(place)
    assert (told["status"], told["about"][0]["reference"].partition("/")[0]) == ("completed", "Appointment")
    assert told["recipient"] == [{"reference": f"Patient/{place.patient}"}]
    acts = [str((one.detail or {}).get("act", "")) for one in await in_the_journal(place, Event.JOB)]
    assert [one for one in acts if one.startswith("convocation")] == ["convocation", "convocation sent"]


async def test_what_the_mail_service_refuses_is_said_and_can_be_tried_once_more(place: Place, session: str) -> None:
    async with place.signed_in() as nurse:
        await act(nurse, session, act="convoke")
        for _try in range(2):
            await work(place, on(place, Broken(Later("notice"))))
        assert "E-mail en cours d’envoi" in text(await nurse.get(session))

        await work(place, on(place, Broken(Undeliverable("address"))))

        page = text(await nurse.get(session))
        assert "E-mail non remis" in page
        assert "Prévenu par e-mail" not in page
        assert [one["status"] for one in await messages(place)] == ["stopped"]
        assert (await act(nurse, session, act="convoke")).status_code == 303
        assert await work(place) == 1
        assert "Prévenu par e-mail" in text(await nurse.get(session))
    assert len(mails(place)) == 1


async def test_who_was_written_to_is_told_that_the_session_is_off(place: Place, session: str) -> None:
    async with place.signed_in() as nurse:
        await act(nurse, session, act="convoke")
        await work(place)

        assert (await act(nurse, session, act="cancel", reason="Salle fermée")).status_code == 303
        await work(place)

        refused = await act(nurse, session, act="convoke")
        assert refused.status_code == 422
    assert sorted("n'aura pas lieu" in words for _to, _subject, words in mails(place)) == [False, True]


async def test_who_was_being_written_to_while_the_session_was_called_off_is_told(place: Place, session: str) -> None:
    async with place.signed_in() as nurse:

        class Slow(Spool):
            async def notify(self, to: str, name: str, text: str, subject: str) -> None:
                assert (await act(nurse, session, act="cancel", reason="Salle fermée")).status_code == 303
                await super().notify(to, name, text, subject)

        await act(nurse, session, act="convoke")
        await work(place, on(place, Slow(folder(place))))
    assert (await work(place), await work(place)) == (1, 0)
    assert sorted("n'aura pas lieu" in words for _to, _subject, words in mails(place)) == [False, True]


async def test_who_was_not_written_to_or_has_given_up_meanwhile_is_sent_nothing(place: Place, session: str) -> None:
    async with place.signed_in() as nurse:
        await act(nurse, session, act="convoke")
        [appointment] = await found(place, "Appointment", f"patient={place.patient}&status=booked")
        await act(nurse, session, act="given-up", appointment=appointment["id"])
        await work(place)

        await act(nurse, session, act="cancel", reason="Salle fermée")
        await work(place)

    assert mails(place) == []
    assert await messages(place) == []


async def test_another_structure_sends_nothing_and_without_a_channel_nor_does_ours(place: Place, session: str) -> None:
    slot = session.rpartition("/")[2]
    tree = await ask(place, "GET", f"Slot/{slot}")
    other = await ask(place, "POST", "Organization", {"resourceType": "Organization", "active": True, "name": "Autre"})
    keeper = {**tree["extension"][0], "valueReference": {"reference": f"Organization/{other['id']}"}}
    async with place.signed_in() as nurse:
        place.house.carriers = Carriers()
        assert "mailto:jeanne@exemple.fr" in (await nurse.get(session)).text
        assert (await act(nurse, session, act="convoke")).status_code == 422
        place.house.carriers = on(place)
        await ask(place, "PUT", f"Slot/{slot}", {**tree, "extension": [keeper, *tree["extension"][1:]]})
        page = text(await nurse.get(session))
        assert "Prévenir 1 personne" not in page
        assert (await act(nurse, session, act="convoke")).status_code == 422
    assert await work(place) == 0


@pytest.fixture
def post(place: Place, office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> Carriers:
    """What an installation has whose file of notices names that server, with a password."""
    monkeypatch.setenv("SSL_CERT_FILE", str(office.authority))
    server = urlsplit(office.smtp).netloc
    url = f"mailtos://{quote(ADDRESS, safe='')}:{PASSWORD}@{server}?mode=starttls&from=ccas@exemple.fr&to={{to}}"
    notices = office.folder / "notices"
    notices.write_text(f"email={url}\n")
    notices.chmod(0o600)
    return carriers(place.house.settings.model_copy(update={"notices_file": notices, "message_spool": None}))


async def test_a_mail_server_takes_it_before_it_counts_as_sent(
    place: Place, session: str, post: Carriers, office: PostOffice
) -> None:
    async with place.signed_in() as nurse:
        await act(nurse, session, act="convoke")
        office.refuses = "550 nobody"
        await work(place, post)
        refused = text(await nurse.get(session))
        office.refuses = ""
        assert (await work(place, post), await work(place, post)) == (1, 0)
        taken = text(await nurse.get(session))
    assert ("E-mail en cours d’envoi" in refused, "Prévenu par e-mail" in refused) == (True, False)
    assert "Prévenu par e-mail" in taken
    [(to, raw)] = office.taken
    body = opened(raw).get_body(("plain", "html"))
    assert body is not None
    assert (to, opened(raw)["Subject"]) == ("jeanne@exemple.fr", "Rendez-vous")
    assert "Vous avez un rendez-vous le " in body.get_content()
    for of_it in ("atelier", "BPCO", "Salle", "NURSE", "Jeanne <", "Liaison"):
        assert of_it.lower() not in str(opened(raw)).lower().replace(ADDRESS, "")


async def test_killed_after_the_server_took_it_it_is_sent_once_more_and_no_other(
    place: Place, session: str, post: Carriers, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(*_arguments: Any) -> None:
        raise asyncio.CancelledError

    async with place.signed_in() as nurse:
        await act(nurse, session, act="convoke")
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "settle", killed)
        with pytest.raises(asyncio.CancelledError):
            await work(place, post)
    assert (await work(place, post), await work(place, post)) == (1, 0)
    assert len(office.taken) == 2
    assert [one["status"] for one in await messages(place)] == ["completed"]
