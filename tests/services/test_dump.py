"""What a stolen database shows after a day of work through the whole service, journal included: no clear text."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from liaison.fhir.store.embedded import Embedded
from liaison.fhir.vault import FileKeyProvider
from liaison.protocols import codes

pytestmark = pytest.mark.http

PLANTED = {
    "family": "Zwyxelmann",
    "given": "Ghislibert",
    "city": "Fontvieille-la-Planche",
    "phone": "+33798312247",
    "birth": "1931-07-29",
    "identifier": "NIP-77512345678",
    "code": "ZQX-48213",
    "display": "Zwifose aigue du coude",
    "value": "7391.284617",
    "note": "A peur du chien de la voisine, réveil à quatre heures",
    "searched": "Oubliettard",
}


ADDED = (
    ("born", "date", "Patient", "Patient.birthDate"),
    ("town", "string", "Patient", "Patient.address.city"),
    ("remark", "string", "Observation", "Observation.note.text"),
    ("said", "token", "Observation", "Observation.code"),
)
"""Search parameters of the territory's own, over what is planted."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, embedded_service: Any) -> Iterator[Any]:
    """A service with a database of its own, whose folder can be searched."""
    folder = tmp_path_factory.mktemp("dump")
    FileKeyProvider.create(folder / "key")
    settings = {
        "DATABASE_URL": "",
        "DATA": str(folder / "data"),
        "KEY_FILE": str(folder / "key"),
        "PUBLIC_URL": "https://liaison.test",
        "ACCESS_LOG": "true",
    }
    with embedded_service(settings) as service:
        work(service)
        yield service


def work(own: Any) -> None:
    """Creates, updates, reads, searches that find and that do not, refusals and mistakes: each leaves its entries."""
    with own.client("admin") as admin:
        for code, kind, base, expression in ADDED:
            parameter: dict[str, Any] = {
                "resourceType": "SearchParameter",
                "status": "active",
                "name": "Added",
                "description": "Added",
            }
            parameter |= {
                "url": f"urn:added:{code}",
                "code": code,
                "type": kind,
                "base": [base],
                "expression": expression,
            }
            assert admin.post("/SearchParameter", json=parameter).status_code == 201
    name = [{"family": PLANTED["family"], "given": [PLANTED["given"]]}]
    patient = own.patient(
        name=name,
        birthDate=PLANTED["birth"],
        telecom=[{"system": "phone", "value": PLANTED["phone"]}],
        address=[{"city": PLANTED["city"]}],
        identifier=[{"system": "urn:ipp", "value": PLANTED["identifier"]}],
    )
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:codes", "code": PLANTED["code"], "display": PLANTED["display"]}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-03-01T10:00:00Z",
        "valueQuantity": {"value": 7391.284617},
        "note": [{"text": PLANTED["note"]}],
    }
    plan: dict[str, Any] = {"resourceType": "CarePlan", "status": "active", "intent": "plan"}
    plan |= {"subject": {"reference": f"Patient/{patient}"}, "instantiatesCanonical": [f"urn:plans:{PLANTED['code']}"]}
    step: dict[str, Any] = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "description": PLANTED["note"],
    }
    step |= {"for": plan["subject"], "code": {"coding": [{"system": codes.STEP, "code": PLANTED["code"]}]}}
    own.write([{"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in (plan, step)])
    with own.client("gp") as gp, own.client("gp_outside") as outside:
        made: httpx.Response = gp.post("/Observation", json=observation)
        assert made.status_code == 201, made.text
        assert gp.get(f"/Patient/{patient}").status_code == 200
        for query in (
            f"Patient?family={PLANTED['family']}",
            f"Patient?birthdate={PLANTED['birth']}",
            f"Patient?family={PLANTED['searched']}",
            f"Patient?identifier=urn:ipp|{PLANTED['identifier']}",
            f"Observation?patient={patient}&code=urn:codes|{PLANTED['code']}",
            f"Observation?patient={patient}&value-quantity={PLANTED['value']}",
        ):
            assert gp.get(f"/{query}").status_code == 200
            outside.get(f"/{query}")
        gp.get(f"/Patient/{PLANTED['searched']}")
        gp.post("/Observation", json={**observation, "status": PLANTED["note"]})


async def test_a_stolen_database_shows_nothing_of_a_day_of_work(own: Any, dump: ModuleType) -> None:
    assert (
        own.ask(lambda house: house.database.reading.fetchval("select count(*) from planned")) == 2
    )  # kept, and looked at
    server = Embedded.attach(own.settings.data / "database")

    assert await dump.find_leaks(server.directory, server.administrator_url, list(PLANTED.values())) == []


def shown_outside(data: Path) -> list[Path]:
    """The files beside the database's that hold something planted. The service replaces some while it runs: one that is gone
    before it was read is looked for again, under the name that it has now."""
    texts = [text.encode() for text in PLANTED.values()]
    for _ in range(20):
        files = [path for path in data.rglob("*") if path.is_file() and "cluster" not in path.parts]
        assert files
        with contextlib.suppress(FileNotFoundError):
            return [path for path in files if any(text in path.read_bytes() for text in texts)]
    raise AssertionError("the files of the service were never there together")


def test_nothing_else_in_the_data_folder_shows_it_either(own: Any) -> None:
    assert shown_outside(own.settings.data) == []


def test_what_is_planted_in_the_data_folder_is_found(own: Any) -> None:
    """The positive control."""
    planted = own.settings.data / "planted.log"
    planted.write_text(f"GET /Patient?family={PLANTED['family']}")
    try:
        assert shown_outside(own.settings.data) == [planted]
    finally:
        planted.unlink()


async def test_what_is_planted_in_the_journal_is_found(own: Any, dump: ModuleType) -> None:
    """The positive control: a journal that kept the query in clear would be seen."""
    import asyncpg

    server = Embedded.attach(own.settings.data / "database")
    where: Path = server.directory
    connection = await asyncpg.connect(server.administrator_url.replace("/postgres?", "/liaison?"))
    try:
        await connection.execute("create table if not exists planted_entry (sealed bytea)")
        await connection.execute("insert into planted_entry values ($1)", f"?family={PLANTED['family']}".encode())
        found = await dump.find_leaks(where, server.administrator_url, [PLANTED["family"]])
    finally:
        await connection.execute("drop table planted_entry")
        await connection.close()

    assert any("planted_entry" in leak.place for leak in found)
