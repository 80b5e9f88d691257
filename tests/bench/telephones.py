"""`BENCH_ONLY=telephones make bench`: the telephones of a home-care service bring their visits of the day in the evening.

Each telephone has an aide who is signed in, her tour of the day with people of her own, and so many finished visits, each sealed to
the service's key and signed by the telephone's (tests.services.delivery.telephone, with other libraries than the service's own). They
begin at random moments within BENCH_WITHIN seconds and send as the page does: one visit after the other, and what was not taken
again later. One visit in ten is sent a second time, as after an answer that was lost: the receipt must be the same.

Environment: BENCH_PHONES (500), BENCH_VISITS (15), BENCH_WITHIN (600), BENCH_WORKERS (2). The generator, the service and PostgreSQL
share the machine. What is in the record afterwards is counted there, not believed from receipts.
"""

import asyncio
import contextlib
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from tests.bench import territory
from tests.bench.territory import Maker
from tests.services.delivery.telephone import Telephone

from liaison.auth.access import vocabulary
from liaison.auth.people import accounts, browsers, phones, roles
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.services import base
from liaison.services.house import House
from liaison.services.pages import cookies
from liaison.services.pages.clock import PARIS
from liaison.services.settings import Settings

Tree = dict[str, Any]
Rows = list[tuple[str, str, str]]
PHONES: Final = int(os.environ.get("BENCH_PHONES", "500"))
VISITS: Final = int(os.environ.get("BENCH_VISITS", "15"))
WITHIN: Final = float(os.environ.get("BENCH_WITHIN", "600"))
WORKERS: Final = int(os.environ.get("BENCH_WORKERS", "2"))
GOAL: Final = 2.0
"""Seconds, of 95 in 100."""
AGAIN: Final = 30.0
"""Seconds until the page sends what was not taken once more."""
TRIES: Final = 20
_TOGETHER: Final = 4


@dataclass(slots=True)
class Sent:
    """What came of the visits: seconds of each answer, states of the receipts, answers that were none."""

    seconds: list[float] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    later: Counter[int] = field(default_factory=Counter)
    repeated: int = 0
    other_receipt: int = 0


def measure(
    settings: Settings, *, count: int = PHONES, visits: int = VISITS, within: float = WITHIN
) -> tuple[Rows, Sent, int]:
    """The table, what was answered, and how many visits the record holds."""
    territory.migrated(settings)

    async def made() -> list[tuple[str, str]]:
        async with House.opened(settings) as house:
            return await settled(house, count, visits)

    with base.running(settings):
        signed_in = asyncio.run(made())
    with territory.serving(settings, WORKERS) as (address, _process), contextlib.ExitStack() as opened:
        fetched = [fetch(opened, address, *one) for one in signed_in]
        parcels = [finished(one, visits) for one in fetched]
        began = time.monotonic()
        sent = asyncio.run(evening(address, fetched, parcels, within))
        lasted = time.monotonic() - began
    held = asyncio.run(_held(settings))
    return told(sent, held, count * visits, lasted), sent, held


def told(sent: Sent, held: int, wanted: int, lasted: float) -> Rows:
    ordered = sorted(sent.seconds)
    p50 = statistics.median(ordered)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    refused = ", ".join(f"{status}: {count}" for status, count in sorted(sent.later.items())) or "none"
    return [
        ("visits sent", f"{wanted} in {lasted:.0f} s", f"{wanted / lasted:.1f}/s"),
        ("filed", f"{sent.states['filed']} of {wanted}", f"à vérifier: {sent.states['checking']}"),
        ("in the record", f"{held}", f"doubled: {max(0, held - wanted)}, missing: {max(0, wanted - held)}"),
        ("sent again", f"{sent.repeated}", f"with another receipt: {sent.other_receipt}"),
        (
            "answer",
            f"p50 {p50:.2f} s, p95 {p95:.2f} s, slowest {ordered[-1]:.2f} s",
            f"aimed at: p95 under {GOAL:.0f} s",
        ),
        ("sent once more later", refused, "answers that were no receipt"),
    ]


async def settled(house: House, count: int, visits: int) -> list[tuple[str, str]]:
    """The service, its aides with a telephone each, whose tours are of this day. (Session, telephone) of each, as cookies."""
    maker = await Maker.of(house)
    [service] = await maker.write(
        {"urn:uuid:service": {"resourceType": "Organization", "active": True, "name": "Aide à domicile"}}
    )
    made: list[tuple[str, str]] = []
    waiting = iter(range(count))

    async def some() -> None:
        for number in waiting:  # shared
            made.append(await _aide(house, maker, service, number, visits))

    async with asyncio.TaskGroup() as group:
        for _ in range(_TOGETHER):
            group.create_task(some())
    return made


async def _aide(house: House, maker: Maker, service: str, number: int, visits: int) -> tuple[str, str]:
    person, role = await maker.write(
        {
            "urn:uuid:person": {
                "resourceType": "Practitioner",
                "name": [{"family": f"AIDE{number}", "given": ["Anne"]}],
            },
            "urn:uuid:role": {
                "resourceType": "PractitionerRole",
                "active": True,
                "practitioner": {"reference": "urn:uuid:person"},
                "organization": {"reference": service},
                "code": [{"coding": [{"system": vocabulary.ROLE, "code": "home-aide"}]}],
            },
        }
    )
    for place in range(visits):
        await maker.write(_someone(service, role, number, place))
    key, organization = (house.store.key(*one.split("/")) for one in (person, service))
    assert isinstance(key, Key) and isinstance(organization, Key)
    async with house.database.writing.acquire() as connection:
        account = await accounts.add(connection, f"aide-{number}", key, invited=True)
        phone = await phones.enrol(connection, organization.res, f"Téléphone {number}")
        [held] = await roles.held_by(connection, key.res)
        cookie = await browsers.begin(connection, account, factors=2)
        return await browsers.choose(connection, cookie, account, held), phone


def _someone(service: str, role: str, number: int, place: int) -> dict[str, Tree]:
    """A person whom the service helps, who was told of it, and the visit of this day."""
    day = datetime.now(PARIS).replace(hour=7, minute=0, second=0, microsecond=0)
    start = day + timedelta(minutes=45 * place)
    member = {
        "member": {"reference": service},
        "period": {"start": "2020-01-01"},
        "extension": [
            {"url": vocabulary.LEGAL_BASIS, "valueCode": "recognised"},
            {"url": vocabulary.INFORMED, "valueDateTime": "2020-01-01"},
        ],
    }
    return {
        "urn:uuid:patient": {
            "resourceType": "Patient",
            "name": [{"use": "official", "family": f"PERSONNE{number}X{place}", "given": ["Jeanne"]}],
            "birthDate": "1940-05-06",
            "gender": "female",
        },
        "urn:uuid:team": {
            "resourceType": "CareTeam",
            "status": "active",
            "subject": {"reference": "urn:uuid:patient"},
            "participant": [member],
        },
        "urn:uuid:told": {
            "resourceType": "Consent",
            "status": "active",
            "scope": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
            },
            "category": [{"coding": [{"system": vocabulary.CONSENT, "code": "information"}]}],
            "patient": {"reference": "urn:uuid:patient"},
            "dateTime": "2020-01-01",
            "policyRule": {"text": "CSP R.1110-3"},
        },
        "urn:uuid:line": {
            "resourceType": "Appointment",
            "status": "booked",
            "start": start.isoformat(),
            "end": (start + timedelta(minutes=40)).isoformat(),
            "participant": [
                {"actor": {"reference": "urn:uuid:patient"}, "status": "accepted"},
                {"actor": {"reference": role}, "status": "accepted"},
            ],
        },
    }


def fetch(opened: contextlib.ExitStack, address: str, session: str, phone: str) -> Telephone:
    """The telephone in the morning: it has the tour. `opened` closes its connections."""
    given = {cookies.SESSION: session, cookies.PHONE: phone}
    telephone = Telephone(opened.enter_context(httpx.Client(base_url=address, timeout=120, cookies=given)))
    telephone.csrf = telephone.http.get("/telephone/qui").json()["csrf"]
    answer = telephone.fetch()
    assert answer.status_code == 200, answer.text
    return telephone


def finished(telephone: Telephone, visits: int) -> list[dict[str, str]]:
    """Her visits of the day, as they wait in the telephone."""
    stops = telephone.tour["stops"][:visits]
    assert len(stops) == visits, f"{len(stops)} stops in the tour"
    form = {"note": ["Tout va bien."], "weight": ["61,5"], "tasks": ["wash"]}
    return [telephone.parcel(telephone.letter(stop, form=form)) for stop in stops]


async def evening(
    address: str, telephones: Sequence[Telephone], parcels: Sequence[list[dict[str, str]]], within: float
) -> Sent:
    sent, chosen = Sent(), random.Random(7)
    async with asyncio.TaskGroup() as group:
        for telephone, own in zip(telephones, parcels, strict=True):
            group.create_task(_brings(address, telephone, own, chosen.uniform(0, within), sent, chosen))
    return sent


async def _brings(
    address: str, telephone: Telephone, parcels: list[dict[str, str]], after: float, sent: Sent, chosen: random.Random
) -> None:
    await asyncio.sleep(after)
    known = dict(telephone.http.cookies.items())
    async with httpx.AsyncClient(base_url=address, timeout=120, cookies=known) as http:
        for parcel in parcels:
            first = await _taken(http, telephone.csrf, parcel, sent)
            sent.states[first["state"]] += 1
            if chosen.random() < 0.1:
                sent.repeated += 1
                sent.other_receipt += await _taken(http, telephone.csrf, parcel, sent) != first


async def _taken(http: httpx.AsyncClient, csrf: str, parcel: dict[str, str], sent: Sent) -> dict[str, Any]:
    """The receipt, however often it takes. The clock of the telephone is that of the moment of sending."""
    for _ in range(TRIES):
        body = {**parcel, "clock": datetime.now(PARIS).isoformat()}
        began = time.monotonic()
        answer = await http.post("/telephone/visites", json=body, headers={"x-csrf-token": csrf})
        sent.seconds.append(time.monotonic() - began)
        if answer.status_code == 200:
            receipt: dict[str, Any] = answer.json()
            return receipt
        sent.later[answer.status_code] += 1
        await asyncio.sleep(AGAIN)
    raise RuntimeError(f"a visit was not taken in {TRIES} tries: {answer.status_code} {answer.text[:200]}")


async def _held(settings: Settings) -> int:
    """Visits of the record: current versions of Encounters."""

    async def count() -> int:
        async with House.opened(settings) as house:
            query = "select count(*) from version where superseded is null and kind = $1"
            return int(await house.database.reading.fetchval(query, kind_of("Encounter")))

    with base.running(settings):
        return await count()
