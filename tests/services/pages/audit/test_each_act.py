"""Each kind of act that a person or a software does over HTTP is an entry, by whom, well or refused. Those at the console:
tests/services/command/test_each_act.py; those of a FHIR request: tests/auth/journal/test_entry.py."""

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.fhir.store.contract import Request

from ...oauth.conftest import Place, agree, field, redeem, sign_in

Act = Callable[[Place], Awaitable[object]]


async def _in(place: Place) -> None:
    async with place.signed_in("nurse"):
        pass


async def _in_vain(place: Place) -> None:
    async with place.browser() as browser:
        assert (await sign_in(browser, "nurse", "not the secret")).status_code != 303


async def _out(place: Place) -> None:
    async with place.signed_in("nurse") as browser:
        page = await browser.get("/dossiers")
        assert (await browser.post("/deconnexion", data={"csrf": field(page.text, "csrf")})).status_code == 303


async def _token(place: Place) -> None:
    async with place.signed_in("nurse") as browser:
        answer = await agree(browser)
        code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
        assert (await redeem(browser, code)).status_code == 200


async def _not_agreed(place: Place) -> None:
    async with place.signed_in("nurse") as browser:
        assert "error=access_denied" in (await agree(browser, "refuse")).headers["location"]


def _page(who: str, path: str, status: int = 200) -> Act:
    """Somebody asks for a page; `{patient}` is the patient of the place."""

    async def asked(place: Place) -> None:
        async with place.signed_in(who) as browser:
            assert (await browser.get(path.format(patient=place.patient))).status_code == status

    return asked


async def _rule(place: Place) -> None:
    async with place.signed_in("dpo") as browser:
        page = await browser.get("/journal/signaux")
        sent = {"csrf": field(page.text, "csrf"), "date": "2026-01-05"}
        assert (await browser.post("/journal/signaux", data=sent)).status_code == 303


async def _strangers(place: Place) -> None:
    for _ in range(3):
        answer = await place.house.engine.refused(Request("GET", "Patient", address="192.0.2.1"), PermissionError())
        assert answer.status >= 400
    place.house.journal._minute_over()


ACTS: list[tuple[str, Act, Event, int]] = [
    ("a sign-in", _in, Event.SIGN_IN, 0),
    ("a sign-in refused", _in_vain, Event.SIGN_IN, 4),
    ("a sign-out", _out, Event.SIGN_OUT, 0),
    ("access given to software", _token, Event.TOKEN, 0),
    ("access refused to software", _not_agreed, Event.TOKEN, 4),
    ("a record read", _page("nurse", "/dossiers/{patient}"), Event.READ, 0),
    ("a record refused", _page("nurse", f"/dossiers/{'0' * 32}", 404), Event.READ, 4),
    ("the journal read", _page("dpo", "/journal/dossiers/{patient}"), Event.JOURNAL_READ, 0),
    ("the journal verified", _page("dpo", "/journal/integrite"), Event.JOURNAL_READ, 0),
    ("the journal exported", _page("dpo", "/journal/export.csv"), Event.EXPORT, 0),
    ("a setting changed", _rule, Event.CONFIGURATION, 0),
    ("calls of strangers", _strangers, Event.REFUSED_CALLS, 4),
]


async def entries(place: Place) -> list[Entry]:
    rows = await place.house.database.reading.fetch(f"select {', '.join(COLUMNS)} from journal_entry order by at")
    return [unseal(place.house.journal_keys, Record(*row)) for row in rows]


@pytest.mark.parametrize(("act", "event", "outcome"), [one[1:] for one in ACTS], ids=[one[0] for one in ACTS])
async def test_an_act_is_an_entry(place: Place, act: Act, event: Event, outcome: int) -> None:
    before = await entries(place)
    await act(place)
    await place.house.journal.record([Entry(Event.JOB)])  # what was queued before is durable now
    made = [one for one in await entries(place) if one not in before]
    found = [one for one in made if (one.event, one.outcome) == (event, outcome)]
    assert found, [(Event(one.event).name, one.outcome) for one in made]
    if event != Event.REFUSED_CALLS:
        assert all(one.address for one in found)
    if outcome == 0:
        assert all(one.person and one.session for one in found)
