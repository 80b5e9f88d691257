"""A client of the FHIR API that keeps what it received, byte by byte: for proofs that compare it with the journal.

Shares no code with the service. A response counts as received from its first byte on.
"""

import asyncio
import json
import random
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
LOCATION = re.compile(rb"\r\nlocation: [^\r]*/Observation/([^/\r]+)/_history/1", re.IGNORECASE)


@dataclass(slots=True)
class Call:
    """One request and what came back of it before the end."""

    kind: str
    request_id: str
    asked: str = ""
    got: bytes = b""
    whole: bool = False

    @property
    def status(self) -> int:
        return int(self.got[9:12]) if len(self.got) >= 12 else 0

    @property
    def body(self) -> Any:
        return json.loads(self.got.partition(b"\r\n\r\n")[2])

    @property
    def created(self) -> list[str]:
        """Ids that this answer says are stored."""
        if self.kind == "create":
            return [found.decode() for found in LOCATION.findall(self.got.partition(b"\r\n\r\n")[0])]
        if self.kind == "transaction" and self.whole and self.status == 200:
            return [entry["response"]["location"].split("/")[-3] for entry in self.body["entry"]]
        return []


def observation(patient: str, value: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "59408-5"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-01-31T08:00:00+01:00",
        "valueQuantity": {"value": value, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
    }


@dataclass(slots=True)
class Client:
    """Loads the service over several connections until it dies. `calls` is what it saw."""

    host: str
    port: int
    token: str
    patients: list[str]
    known: list[str]  # ids of Observations that exist
    seed: int
    calls: list[Call] = field(default_factory=list)

    async def load(self, connections: int) -> None:
        """Returns when every connection is gone."""
        await asyncio.gather(*(self._connection(random.Random(f"{self.seed}/{n}")) for n in range(connections)))

    async def _connection(self, chance: random.Random) -> None:
        try:
            reader, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return
        try:
            while True:
                call, method, path, body = self._next(chance)
                self.calls.append(call)
                writer.write(self._request(method, path, call.request_id, body))
                await writer.drain()
                await self._receive(reader, call)
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    def _next(self, chance: random.Random) -> tuple[Call, str, str, bytes]:
        request_id, patient = uuid.uuid4().hex, chance.choice(self.patients)
        match chance.choices(("read", "absent", "search", "create", "transaction"), (50, 10, 15, 20, 5))[0]:
            case "read":
                known = chance.choice(self.known)
                return Call("read", request_id, known), "GET", f"Observation/{known}", b""
            case "absent":
                absent = f"{chance.getrandbits(128):032x}"
                return Call("absent", request_id, absent), "GET", f"Observation/{absent}", b""
            case "search":
                path = f"Observation?patient={patient}&_count=5"
                return Call("search", request_id, patient), "GET", path, b""
            case "create":
                body = json.dumps(observation(patient, chance.randint(70, 99))).encode()
                return Call("create", request_id, patient), "POST", "Observation", body
            case _:
                entries = [
                    {"resource": observation(patient, value), "request": {"method": "POST", "url": "Observation"}}
                    for value in (80, 90, 95)
                ]
                bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
                return Call("transaction", request_id, patient), "POST", "", json.dumps(bundle).encode()

    def _request(self, method: str, path: str, request_id: str, body: bytes) -> bytes:
        head = (
            f"{method} /fhir/{path} HTTP/1.1\r\nhost: liaison.test\r\nauthorization: Bearer {self.token}\r\n"
            f"x-request-id: {request_id}\r\nprefer: return=minimal\r\n"
        )
        if body:
            head += f"content-type: application/fhir+json\r\ncontent-length: {len(body)}\r\n"
        return f"{head}\r\n".encode() + body

    async def _receive(self, reader: asyncio.StreamReader, call: Call) -> None:
        wanted = None
        while wanted is None or len(call.got) < wanted:
            some = await reader.read(65536)
            if not some:
                raise EOFError
            call.got += some
            if wanted is None and (end := call.got.find(b"\r\n\r\n")) >= 0:
                length = LENGTH.search(call.got[: end + 2])
                wanted = end + 4 + (int(length[1]) if length else 0)
        call.whole = True
