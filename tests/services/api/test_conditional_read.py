"""Conditional reads over HTTP (RFC 9110 §13): what the caller has already is not sent again, what changed always is."""

import time
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

import httpx
import pytest

pytestmark = pytest.mark.http

Weight = Callable[..., bytes]


def test_a_copy_that_still_stands_is_not_sent_again(gp: httpx.Client, patient: str, weight: Weight) -> None:
    created = gp.post("/Observation", content=weight(patient, "70"))
    url = f"/Observation/{created.json()['id']}"

    assert gp.get(url, headers={"if-none-match": 'W/"1"'}).status_code == 304
    assert gp.get(url, headers={"if-none-match": 'W/"2"'}).status_code == 200
    assert gp.get(url, headers={"if-modified-since": created.headers["last-modified"]}).status_code == 304
    assert gp.get(url, headers={"if-modified-since": "Sat, 01 Jan 2000 00:00:00 GMT"}).status_code == 200


def test_a_change_within_the_second_of_a_copy_is_sent(gp: httpx.Client, patient: str, weight: Weight) -> None:
    """RFC 9110 §8.8.2.2: a date of whole seconds tells two versions of one second from each other to nobody."""
    while True:
        created = gp.post("/Observation", content=weight(patient, "70"))
        url = f"/Observation/{created.json()['id']}"
        second = created.headers["last-modified"]
        changed = gp.put(url, content=weight(patient, "71", id=created.json()["id"]))
        if changed.headers["last-modified"] == second:
            break

    answer = gp.get(url, headers={"if-modified-since": second})

    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    entry = {"request": {"method": "GET", "url": url[1:], "ifModifiedSince": changed.json()["meta"]["lastUpdated"]}}
    read = gp.post("/", json={"resourceType": "Bundle", "type": "batch", "entry": [entry]}).json()["entry"][0]
    assert read["response"]["status"].startswith("200")
    assert gp.get(url, headers={"if-none-match": 'W/"2"', "if-modified-since": second}).status_code == 304
    later = format_datetime(parsedate_to_datetime(second) + timedelta(seconds=1), usegmt=True)
    assert gp.get(url, headers={"if-modified-since": later}).status_code == 304


def test_a_copy_of_a_version_that_has_its_second_alone_still_stands(
    gp: httpx.Client, patient: str, weight: Weight
) -> None:
    created = gp.post("/Observation", content=weight(patient, "70"))
    url = f"/Observation/{created.json()['id']}"
    time.sleep(1.05)  # into another second of the database's clock: that is what is asked about
    changed = gp.put(url, content=weight(patient, "71", id=created.json()["id"]))

    assert gp.get(url, headers={"if-modified-since": changed.headers["last-modified"]}).status_code == 304
    assert gp.get(url, headers={"if-modified-since": created.headers["last-modified"]}).status_code == 200
