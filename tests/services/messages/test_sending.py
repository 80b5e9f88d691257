"""An alert on its way to its reader, through a real operator: once, whole, to a mailbox of MSSanté alone; a notice to all others."""

import asyncio
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
import pytest

from liaison.auth.journal.entry import Event
from liaison.auth.people import alert_readers
from liaison.auth.people.alert_readers import Addresses, AlertReader, sealed_for
from liaison.protocols.alerts import Standing, acknowledge, standing
from liaison.services.jobs import messaging
from liaison.services.jobs.following import follow
from liaison.services.messages import outbox, recipients, told, wording
from liaison.services.messages.addresses import EMAIL_TYPE, MAILBOX_TYPE
from liaison.services.messages.carriers import Carriers, Smtp, carriers
from liaison.services.messages.operator import BadOperator
from liaison.services.pages.sheets.printing import one_page, pdf
from liaison.services.settings import Settings

from ..oauth.conftest import Place, place, settings
from .post_office import ADDRESS, NO_IMAP, PostOffice, office, open_office, opened
from .test_following import alert, ask

__all__ = ["office", "open_office", "place", "settings"]

MAILBOX = "camille.nurse@infirmiers.mssante.example"
HIDDEN = ("LE GOFF", "Le Goff", "Patient", "Chute", "blessure", "1950", "Camille", "NURSE", "alerte", "Alerte")
"""What no ordinary message may say, nor any subject: the person, the sign, the reader, and that it is about health."""


def typed(address: str, code: str = "MSSANTE") -> dict[str, Any]:
    extension = {"url": EMAIL_TYPE, "valueCoding": {"system": MAILBOX_TYPE, "code": code}}
    return {"extension": [extension], "system": "email", "value": address}


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page(?!s)", pdf))


def test_a_long_alert_still_has_one_page_and_says_where_the_rest_is() -> None:
    task = {"description": "\n".join(f"Signe numéro {number}" for number in range(200))}
    patient = {"resourceType": "Patient", "name": [{"family": "LE GOFF"}]}
    whole = wording.lines(task, patient, "https://liaison.test/dossiers/x")
    cut = one_page(whole, "La suite est dans le dossier.")
    assert pages(pdf(whole, "x", "fr")) > 1 == pages(pdf(cut, "x", "fr"))
    assert [part.text for part in cut if part.kind == "point"][-1] == "La suite est dans le dossier."
    assert cut[-1] == whole[-1]


class Gateway(BaseHTTPRequestHandler):
    """Of text messages: what an Apprise URL of json:// calls."""

    taken: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.taken.append(f"{self.path} {body}")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Gateway.taken.clear()
        yield f"json://127.0.0.1:{server.server_port}/{{to}}"
        server.shutdown()


@pytest.fixture
def on(office: PostOffice, gateway: str, settings: Settings) -> Carriers:
    notices = office.folder / "notices"
    notices.write_text(f"email={gateway}\nsms={gateway}\n")
    notices.chmod(0o600)
    return carriers(
        settings.model_copy(
            update={
                "mssante_smtp": office.smtp,
                "mssante_imap": office.imap,
                "mssante_address": ADDRESS,
                "mssante_login_file": office.login,
                "mssante_domains": ("mssante.example",),
                "mssante_ca_file": office.authority,
                "notices_file": notices,
            }
        )
    )


class Desk:
    """What the tests do to a place, with a connection of the job."""

    def __init__(self, place: Place, one: asyncpg.Connection, on: Carriers) -> None:
        self.place, self.one, self.on, self.nurse = place, one, on, ""

    async def furnish(self, *telecoms: dict[str, Any], channels: tuple[str, ...] = ("mssante",)) -> None:
        """The nurse has these telecoms, has accepted these channels, and is there at every hour."""
        people = await ask(self.place, "GET", "PractitionerRole", query="practitioner.family=NURSE")
        [role] = [one["resource"] for one in people["entry"]]
        await ask(
            self.place,
            "PUT",
            f"PractitionerRole/{role['id']}",
            {**role, "telecom": list(telecoms)} if telecoms else role,
        )
        self.nurse = f"PractitionerRole/{role['id']}"
        given = sealed_for(self.place.house.vault.territory, self.nurse, Addresses("camille@exemple.fr", "0611223344"))
        reader = AlertReader(0, self.nurse, "Camille NURSE", "1234567", 0, 1440, "", date(2026, 1, 5), channels, given)
        await alert_readers.record(self.one, 1, reader, by=1)

    async def raise_alert(self, **more: Any) -> dict[str, Any]:
        now = self.place.house.database.clock.now()
        end = now.replace(year=now.year + 1).isoformat(timespec="seconds")
        period = {"start": now.isoformat(timespec="seconds"), "end": end}
        owner = {"reference": self.nurse, "display": "Camille NURSE (infirmière)"}
        made = alert(self.place, owner=owner, restriction={"period": period}, **more)
        return dict(await ask(self.place, "POST", "Task", made))

    async def work(self) -> None:
        """Both jobs, once."""
        await follow(self.one, self.place.house.engine, self.on.channels)
        await self.one.execute("update alert_message set next_at = now() where state = 'waiting'")
        await messaging.send(self.one, self.place.house.engine, self.on)

    async def states(self) -> list[tuple[str, str, str]]:
        return [tuple(row) for row in await self.one.fetch("select channel, state, why from alert_message order by 1")]

    async def communications(self) -> list[dict[str, Any]]:
        found = await ask(self.place, "GET", "Communication", query=f"category={told.CATEGORY['system']}|message")
        return [one["resource"] for one in found.get("entry", [])]


@pytest.fixture
async def desk(place: Place, on: Carriers) -> Any:
    async with place.house.database.writing.acquire() as connection:
        yield Desk(place, connection, on)


def says_nothing(*texts: str) -> None:
    for text in texts:
        assert [word for word in HIDDEN if word in text] == []


async def test_the_alert_goes_whole_to_a_mailbox_that_the_directory_types(desk: Desk, office: PostOffice) -> None:
    await desk.furnish(typed(MAILBOX))
    task = await desk.raise_alert()
    await desk.work()
    await desk.work()  # nothing is sent twice

    [(to, raw)] = office.taken
    mail = opened(raw)
    [page] = list(mail.iter_attachments())
    body = mail.get_body(("plain",))
    assert to == MAILBOX and isinstance(body, EmailMessage)
    assert "Chute" in body.get_content() and "LE GOFF" in body.get_content()
    assert (page.get_content_type(), pages(page.get_content())) == ("application/pdf", 1)
    says_nothing(mail["Subject"], str(page.get_filename()), mail["Message-ID"])

    [message] = await desk.communications()
    assert (message["status"], message["medium"][0]["coding"][0]["code"]) == ("completed", "EMAILWRIT")
    assert message["about"] == [{"reference": f"Task/{task['id']}"}]
    key = desk.place.house.store.key("Patient", desk.place.patient)
    assert key is not None
    told_of = "select patient from journal_entry where event = $1"
    assert [row[0] for row in await desk.one.fetch(told_of, Event.EXPORT)] == [key.patient]


@pytest.mark.parametrize(
    ("telecom", "why"),
    [
        ({"system": "email", "value": MAILBOX}, "the type is missing"),
        (typed(MAILBOX, "APICRYPT"), "another type"),
        (
            {**typed(MAILBOX), "extension": [*typed(MAILBOX)["extension"], *typed(MAILBOX, "X")["extension"]]},
            "two types",
        ),
        ({**typed(MAILBOX), "system": "phone"}, "no mailbox"),
        ({**typed(MAILBOX), "use": "old"}, "replaced"),
        (typed("camille@exemple.fr"), "a domain that is none of the operators'"),
        (typed("camille@mssante.example.attaquant.fr"), "a domain that begins like one"),
        (typed("camille@xmssante.example"), "a domain that ends like one"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_nothing_goes_anywhere_else(desk: Desk, office: PostOffice, telecom: dict[str, Any], why: str) -> None:
    await desk.furnish(telecom)
    task = await desk.raise_alert()
    await desk.work()

    assert office.taken == [], why
    assert await desk.states() == [("mssante", "undelivered", "address")]
    now = desk.place.house.database.clock.now()
    task = await ask(desk.place, "GET", f"Task/{task['id']}")
    assert standing(task, now) is Standing.OVERDUE  # a year before it is due: somebody phones
    assert task["note"][-1]["text"] == "Message non remis à Camille NURSE (infirmière)"
    assert [one["status"] for one in await desk.communications()] == ["stopped"]


async def test_ordinary_messages_say_that_one_waits_and_nothing_else(desk: Desk) -> None:
    await desk.furnish(channels=("email", "sms"))
    await desk.raise_alert()
    await desk.work()

    assert [state for _channel, state, _why in await desk.states()] == ["sent", "sent"]
    says_nothing(*(taken.partition(" ")[2] for taken in Gateway.taken))
    assert {taken.split()[0] for taken in Gateway.taken} == {"/camille@exemple.fr", "/0611223344"}
    assert all("https://liaison.test" in taken for taken in Gateway.taken)


async def test_one_that_named_the_person_would_be_seen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wording, "notice", lambda url: f"Patient LE GOFF : un message vous attend, {url}")
    with pytest.raises(AssertionError, match="LE GOFF"):
        await test_ordinary_messages_say_that_one_waits_and_nothing_else(desk)


async def test_a_structure_s_mailbox_gets_the_notice_alone(desk: Desk, office: PostOffice) -> None:
    found = await ask(desk.place, "GET", "Organization")
    [house] = [one["resource"] for one in found["entry"]]
    await ask(desk.place, "PUT", f"Organization/{house['id']}", {**house, "telecom": [typed("msp@mssante.example")]})
    await desk.furnish()
    await desk.raise_alert()
    await desk.work()

    [(to, raw)] = office.taken
    assert to == "msp@mssante.example"
    says_nothing(opened(raw)["Subject"], opened(raw).get_content())


@pytest.mark.parametrize("fault", [False, True], ids=["as it is", "without the look at rights it would be sent"])
async def test_who_may_not_read_it_now_gets_nothing(
    desk: Desk, office: PostOffice, monkeypatch: pytest.MonkeyPatch, fault: bool
) -> None:
    await desk.furnish(typed(MAILBOX), channels=("mssante", "sms"))
    other = f"Patient/{desk.place.other_patient}"
    task = await desk.raise_alert(**{"for": {"reference": other}})
    if fault:
        shown = recipients.Shown(task, {"resourceType": "Patient", "id": "x", "name": [{"family": "LE GOFF"}]})

        async def anyway(*_arguments: Any) -> Any:
            return shown

        monkeypatch.setattr(recipients, "shown", anyway)
    await desk.work()

    assert (len(office.taken), len(Gateway.taken)) == ((1, 1) if fault else (0, 0))
    assert {why for _channel, _state, why in await desk.states()} == ({""} if fault else {"rights"})


@pytest.mark.parametrize("role", ["on-call-doctor", "regulating-doctor"])
async def test_no_machine_writes_to_the_duty_doctor(desk: Desk, office: PostOffice, role: str) -> None:
    await desk.furnish(typed(MAILBOX), channels=("mssante", "sms"))
    key = desk.place.house.store.key("PractitionerRole", desk.nurse.partition("/")[2])
    assert key is not None
    await desk.one.execute("update held_role set role_code = $1 where role = $2", role, key.res)
    await desk.raise_alert()
    await desk.work()
    assert (office.taken, Gateway.taken, await desk.states()) == ([], [], [])


async def test_killed_after_it_left_it_is_sent_again_by_the_same_name(
    desk: Desk, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.furnish(typed(MAILBOX))
    await desk.raise_alert()

    async def killed(*_arguments: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "settle", killed)
        with pytest.raises(asyncio.CancelledError):
            await desk.work()
    await desk.work()

    first, second = office.mails()
    assert first["Message-ID"] == second["Message-ID"]
    assert [one["status"] for one in await desk.communications()] == ["completed"]


async def test_it_is_tried_again_until_it_is_given_up_and_somebody_phones(desk: Desk, office: PostOffice) -> None:
    await desk.furnish(typed(MAILBOX))
    office.refuses = "451 plus tard"
    task = await desk.raise_alert()
    for _try in range(outbox.MOST - 1):
        await desk.work()
    assert await desk.states() == [("mssante", "waiting", "")]
    await desk.work()
    assert await desk.states() == [("mssante", "undelivered", "address")]
    task = await ask(desk.place, "GET", f"Task/{task['id']}")
    assert standing(task, desk.place.house.database.clock.now()) is Standing.OVERDUE


async def test_nothing_more_is_sent_of_what_was_seen(desk: Desk, office: PostOffice) -> None:
    await desk.furnish(typed(MAILBOX))
    task = await desk.raise_alert()
    await follow(desk.one, desk.place.house.engine, desk.on.channels)
    seen, _ = acknowledge(task, f"Task/{task['id']}", {"display": "Camille"}, desk.place.house.database.clock.now())
    await ask(desk.place, "PUT", f"Task/{task['id']}", seen)
    await desk.work()
    assert office.taken == []
    assert await desk.states() == [("mssante", "dropped", "seen")]


async def test_a_server_of_another_authority_gets_no_password(desk: Desk, office: PostOffice) -> None:
    await desk.furnish(typed(MAILBOX))
    assert desk.on.operator is not None
    stranger = replace(desk.on.operator, ca_file=None)
    desk.on = replace(desk.on, secure=Smtp(stranger))
    await desk.raise_alert()
    await desk.work()
    assert office.taken == []
    assert await desk.states() == [("mssante", "waiting", "")]


def test_a_file_of_secrets_that_others_may_read_is_refused(office: PostOffice, settings: Settings) -> None:
    login = Path(f"{office.login}-open")
    login.write_text(office.login.read_text())
    login.chmod(0o644)
    more = {"mssante_smtp": office.smtp, "mssante_login_file": login}
    with pytest.raises(BadOperator, match="chmod 600"):
        carriers(settings.model_copy(update=more))
    login.unlink()
    with pytest.raises(BadOperator, match=f"LOGIN_FILE: {login} cannot be read: No such file"):
        carriers(settings.model_copy(update=more))


def report(name: str, type_: str, machine: str) -> bytes:
    return (
        f"From: postmaster@mssante.example\r\nSubject: Rapport\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={type_}; boundary="x"\r\n\r\n'
        f"--x\r\nContent-Type: text/plain\r\n\r\nVoir le rapport.\r\n"
        f"--x\r\nContent-Type: message/{type_}\r\n\r\n{machine}\r\n"
        f"--x\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {name}\r\nSubject: Un message\r\n\r\n--x--\r\n"
    ).encode()


BOUNCED = "Reporting-MTA: dns; mssante.example\r\n\r\nFinal-Recipient: rfc822; x@mssante.example\r\nAction: {}\r\nStatus: 5.1.1\r\n"
READ = "Final-Recipient: rfc822; x@mssante.example\r\nOriginal-Message-ID: {}\r\nDisposition: manual-action/MDN-sent-manually; {}\r\n"


async def test_what_comes_back_is_bound_to_the_message(desk: Desk, office: PostOffice) -> None:
    if not office.imap:
        pytest.skip(NO_IMAP)
    assert desk.on.operator is not None
    await desk.furnish(typed(MAILBOX))
    task = await desk.raise_alert()
    await desk.work()
    name = office.mails()[0]["Message-ID"]
    strange = f"<{'0' * 32}@mssante.example>"

    async def back(*mails: bytes) -> int:
        for mail in mails:
            office.deliver(mail)
        assert desk.on.operator is not None
        return await messaging.read_back(desk.one, desk.place.house.engine, desk.on.operator)

    await back(
        report(name, "delivery-status", BOUNCED.format("delayed")),
        report(strange, "delivery-status", BOUNCED.format("failed")),
    )
    task = await ask(desk.place, "GET", f"Task/{task['id']}")
    assert standing(task, desk.place.house.database.clock.now()) is Standing.WAITING

    await back(report(name, "disposition-notification", READ.format(name, "displayed")))
    [message] = await desk.communications()
    assert (message["status"], "received" in message) == ("completed", True)

    await back(
        f"From: {MAILBOX}\r\nIn-Reply-To: {name}\r\nSubject: Re\r\n\r\nJe passe ce soir chez LE GOFF.\r\n".encode()
    )
    [message] = await desk.communications()
    assert [one["text"] for one in message["note"]] == [told.REPLIED]  # and not what it says

    assert await back() == 0  # each mail is read once
    await back(report(name, "delivery-status", BOUNCED.format("failed")))
    task = await ask(desk.place, "GET", f"Task/{task['id']}")
    assert standing(task, desk.place.house.database.clock.now()) is Standing.OVERDUE
    [message] = await desk.communications()
    assert (message["status"], message["statusReason"]["text"]) == ("stopped", told.NOT_ARRIVED)
