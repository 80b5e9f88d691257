"""Clients that work on the same few resources at once, over HTTP, and note what they sent, when, and what came back."""

import json
import random
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from .register import Kind, Operation, Version

OUTCOMES = {404: "gone", 410: "gone", 412: "stale", 409: "refused", 429: "refused", 503: "refused"}


@dataclass(slots=True)
class Recorder:
    """One client on a connection of its own. `seen` holds its operations by resource."""

    base: str
    headers: dict[str, str]
    patient: str
    name: int
    known: dict[str, int] = field(default_factory=dict)
    seen: list[tuple[str, Operation]] = field(default_factory=list)

    def work(self, ids: list[str], count: int, deletions: float) -> "Recorder":
        chance = random.Random(self.name)
        with httpx.Client(base_url=self.base, headers=self.headers, timeout=60) as client:
            for number in range(count):
                value = f"{self.name}/{number}"
                id_ = chance.choice(ids)
                draw = chance.random()
                if draw < deletions:
                    self._send(client, [(id_, "delete", None)], "", client.build_request("DELETE", f"/Flag/{id_}"))
                elif draw < 0.45:
                    self._read(client, id_, chance)
                elif draw < 0.6:
                    self._transaction(client, chance.sample(ids, 2), value)
                else:
                    self._write(client, id_, value, chance)
        return self

    def _read(self, client: httpx.Client, id_: str, chance: random.Random) -> None:
        path = chance.choice([f"/Flag/{id_}", f"/Flag/{id_}", f"/Flag?_id={id_}&patient={self.patient}"])
        self._send(client, [(id_, "read", None)], "", client.build_request("GET", path))

    def _write(self, client: httpx.Client, id_: str, value: str, chance: random.Random) -> None:
        expected = self.known.get(id_) if chance.random() < 0.5 else None
        more = {"if-match": f'W/"{expected}"'} if expected else {}
        if chance.random() < 0.3:
            patch = [{"op": "replace", "path": "/code/text", "value": value}]
            more["content-type"] = "application/json-patch+json"
            request = client.build_request("PATCH", f"/Flag/{id_}", content=json.dumps(patch), headers=more)
        else:
            body = flag(self.patient, value, id=id_)
            request = client.build_request("PUT", f"/Flag/{id_}", content=json.dumps(body), headers=more)
        self._send(client, [(id_, "write", expected)], value, request)

    def _transaction(self, client: httpx.Client, ids: list[str], value: str) -> None:
        entries = [
            {"resource": flag(self.patient, value, id=id_), "request": {"method": "PUT", "url": f"Flag/{id_}"}}
            for id_ in ids
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        request = client.build_request("POST", "/", content=json.dumps(bundle))
        self._send(client, [(id_, "write", None) for id_ in ids], value, request)

    def _send(
        self, client: httpx.Client, on: list[tuple[str, Kind, int | None]], value: str, request: httpx.Request
    ) -> None:
        called = time.monotonic()
        try:
            answer = client.send(request)
        except httpx.TransportError:
            answer = httpx.Response(599)
        returned = time.monotonic()
        for place, (id_, kind, expected) in enumerate(on):
            outcome, version, read = _told(answer, kind, place)
            if outcome == "gone" and len(on) > 1:
                outcome = "refused"  # Which of them was gone is not for this register to say.
            if version:
                self.known[id_] = version
            told = read if kind == "read" else value
            operation = Operation(kind, called, returned, outcome, version, told, expected)  # type: ignore[arg-type]  # by OUTCOMES
            self.seen.append((id_, operation))


def _told(answer: httpx.Response, kind: Kind, place: int) -> tuple[str, int, str]:
    """The outcome, the version and the value of an answer."""
    if answer.status_code >= 300:
        return OUTCOMES.get(answer.status_code, "unknown"), 0, ""
    if kind == "delete":
        # Without a version, nothing was left to delete.
        version = answer.headers.get("etag", "").strip('W/"')
        return ("done", int(version), "") if version else ("gone", 0, "")
    tree: Any = answer.json()
    if tree["resourceType"] == "Bundle":
        entries = tree.get("entry", [])
        if not entries:
            return "gone", 0, ""
        tree = entries[place]["resource"]
    return "done", int(tree["meta"]["versionId"]), tree["code"]["text"]


def flag(patient: str, value: str, **more: Any) -> dict[str, Any]:
    """A small resource that holds a value."""
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "Flag", "status": "active", "code": {"text": value}, "subject": subject, **more}


def record(recorders: Iterable[Recorder], ids: list[str], count: int, deletions: float) -> dict[str, list[Operation]]:
    """All of them at once. What was seen, by resource."""
    each = list(recorders)
    found: dict[str, list[Operation]] = {id_: [] for id_ in ids}
    with ThreadPoolExecutor(len(each)) as threads:
        for one in threads.map(lambda recorder: recorder.work(ids, count, deletions), each):
            for id_, operation in one.seen:
                found[id_].append(operation)
    return found


def versions(client: httpx.Client, id_: str) -> list[Version]:
    """The whole history of one, page by page, as it is served."""
    found: list[Version] = []
    address: str | None = f"/Flag/{id_}/_history?_count=100"
    while address:
        page = client.get(address).json()
        for entry in page.get("entry", []):
            response = entry["response"]
            number = int(response["etag"].strip('W/"'))
            text = entry["resource"]["code"]["text"] if "resource" in entry else ""
            found.append(Version(number, text, "resource" not in entry, response["lastModified"]))
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        address = f"/Flag/{id_}/_history?{following[0].partition('?')[2]}" if following else None
    return found
