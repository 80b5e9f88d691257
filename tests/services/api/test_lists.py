"""A List that decides an answer was read: the journal says so, on its patient's record, whatever the answer shows."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from .conftest import named_in_journal

pytestmark = pytest.mark.http


@pytest.fixture(scope="module")
def listed(service: Any, gp: httpx.Client, weight: Callable[..., bytes]) -> tuple[str, str, str]:
    """A patient, a weight of theirs, and the List that names two weights."""
    patient = service.patient()
    ids = [gp.post("/Observation", content=weight(patient)).json()["id"] for _ in range(2)]
    tree = {
        "resourceType": "List",
        "status": "current",
        "mode": "working",
        "subject": {"reference": f"Patient/{patient}"},
        "entry": [{"item": {"reference": f"Observation/{id_}"}} for id_ in ids],
    }
    answer = gp.post("/List", json=tree)
    assert answer.status_code == 201, answer.text
    return patient, ids[0], answer.json()["id"]


Ask = Callable[[httpx.Client, str, bytes, dict[str, str]], httpx.Response]


def bundled(type_: str, method: str, url: str, *, sends: bool = False, **request: str) -> Ask:
    def ask(client: httpx.Client, by: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        asked = {"method": method, "url": url.format(by), **{name: text.format(by) for name, text in request.items()}}
        entry = {"request": asked, **({"resource": json.loads(body)} if sends else {})}
        return client.post("/", json={"resourceType": "Bundle", "type": type_, "entry": [entry]}, headers=headers)

    return ask


def referring(client: httpx.Client, by: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
    one = f"Observation?{by}&_id={json.loads(body)['id']}"
    tree = {name: value for name, value in json.loads(body).items() if name != "id"}
    return client.post("/Observation", json=tree | {"derivedFrom": [{"reference": one}]}, headers=headers)


WAYS: dict[str, tuple[int, Ask]] = {
    "search": (200, lambda c, by, _, h: c.get(f"/Observation?{by}", headers=h)),
    "search by POST": (
        200,
        lambda c, by, _, h: c.post(
            "/Observation/_search", content=by, headers=h | {"content-type": "application/x-www-form-urlencoded"}
        ),
    ),
    "count": (200, lambda c, by, _, h: c.get(f"/Observation?{by}&_summary=count", headers=h)),
    "nothing found": (200, lambda c, by, _, h: c.get(f"/Observation?{by}&code=none", headers=h)),
    "several types": (200, lambda c, by, _, h: c.get(f"/?_type=Observation,Condition&{by}", headers=h)),
    "search in a batch": (200, bundled("batch", "GET", "Observation?{}")),
    "search in a transaction": (200, bundled("transaction", "GET", "Observation?{}")),
    "conditional create": (
        412,
        lambda c, by, b, h: c.post("/Observation", content=b, headers=h | {"if-none-exist": by}),
    ),
    "conditional create, found": (
        200,
        lambda c, by, b, h: c.post(
            "/Observation", content=b, headers=h | {"if-none-exist": f"{by}&_id={json.loads(b)['id']}"}
        ),
    ),
    "conditional create, not found": (
        201,
        lambda c, by, b, h: c.post("/Observation", content=b, headers=h | {"if-none-exist": f"{by}&code=none"}),
    ),
    "conditional create in a batch": (200, bundled("batch", "POST", "Observation", sends=True, ifNoneExist="{}")),
    "conditional update": (412, lambda c, by, b, h: c.put(f"/Observation?{by}", content=b, headers=h)),
    "conditional update, found": (
        200,
        lambda c, by, b, h: c.put(f"/Observation?{by}&_id={json.loads(b)['id']}", content=b, headers=h),
    ),
    "conditional delete": (412, lambda c, by, _, h: c.delete(f"/Observation?{by}", headers=h)),
    "conditional delete, not found": (204, lambda c, by, _, h: c.delete(f"/Observation?{by}&code=none", headers=h)),
    "conditional delete in a transaction": (412, bundled("transaction", "DELETE", "Observation?{}")),
    "conditional reference": (201, referring),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_list_that_decided_is_in_the_journal(
    gp: httpx.Client,
    auditor: httpx.Client,
    weight: Callable[..., bytes],
    listed: tuple[str, str, str],
    way: str,
) -> None:
    patient, id_, list_ = listed
    request_id = uuid.uuid4().hex
    status, ask = WAYS[way]
    answer = ask(gp, f"_list={list_}", weight(patient, id=id_), {"x-request-id": request_id})
    assert answer.status_code == status, answer.text

    assert f"List/{list_}/_history/1" in named_in_journal(auditor, patient, request_id)


def test_a_search_without_the_list_does_not_name_it(
    gp: httpx.Client, auditor: httpx.Client, listed: tuple[str, str, str]
) -> None:
    patient, id_, list_ = listed
    request_id = uuid.uuid4().hex
    answer = gp.get(f"/Observation?patient={patient}", headers={"x-request-id": request_id})
    assert answer.status_code == 200, answer.text

    named = named_in_journal(auditor, patient, request_id)
    assert any(one.startswith(f"Observation/{id_}/") for one in named)
    assert not any(list_ in one for one in named)
