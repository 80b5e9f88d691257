"""How fast a read can be: a sketch of the limit of the read path, not a part of the service.

One process, one connection for reads and one for the journal. Each request: visibility decided in SQL, body decrypted
and decompressed, journal entry sealed and durable, then the answer. Requests that wait together share one query and one
commit; the next batch leaves when the previous one is back; alone, a request waits for nobody. Shares no code with the
service, so that a slow service cannot make the limit look low.

`/bare` answers a constant: the cost of the HTTP server alone.
"""

import asyncio
import hashlib
import os
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import orjson
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY = AESGCM(b"k" * 32)
ROWS, PATIENTS, CALLER = 50_000, 500, 7

READ = """
select k.n, r.v, r.b
from unnest($1::int[], $2::text[], $3::text[], $4::int[]) as k(n, t, id, caller)
join bench_record r on r.t = k.t and r.id = k.id
where exists (select 1 from bench_grant g
              where g.caller = k.caller and g.patient = r.patient and (g.mask >> r.cat) & 1 = 1)
"""
TABLES = """
drop table if exists bench_record, bench_grant, bench_journal;
create table bench_record(t text, id text, v int, patient int, cat int, b bytea, primary key (t, id));
create table bench_grant(caller int, patient int, mask bigint, primary key (caller, patient));
create table bench_journal(seq bigserial primary key, b bytea, leaf bytea);
"""
OBSERVATION = {
    "resourceType": "Observation",
    "id": "x1",
    "meta": {"versionId": "1", "lastUpdated": "2024-01-01T00:00:00Z"},
    "status": "final",
    "category": [
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}
    ],
    "code": {"coding": [{"system": "http://loinc.org", "code": "59408-5", "display": "SpO2"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2024-01-01T10:00:00+01:00",
    "valueQuantity": {"value": 93, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
    "performer": [{"reference": "Practitioner/a"}],
}


class Batcher:
    """Runs waiting items together; a new batch starts as soon as the previous one has finished."""

    def __init__(self, run: Callable[[list[Any]], Awaitable[list[Any]]], most: int = 256) -> None:
        self.run, self.most = run, most
        self.waiting: deque[tuple[Any, asyncio.Future[Any]]] = deque()
        self.task: asyncio.Task[None] | None = None

    def put(self, item: Any) -> asyncio.Future[Any]:
        future = asyncio.get_running_loop().create_future()
        self.waiting.append((item, future))
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self.drain())
        return future

    async def drain(self) -> None:
        while self.waiting:
            batch = [self.waiting.popleft() for _ in range(min(self.most, len(self.waiting)))]
            results = await self.run([item for item, _ in batch])
            for (_, future), result in zip(batch, results, strict=True):
                future.set_result(result)


class Sketch:
    """An ASGI application: GET /Observation/o<n> and GET /bare."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def start(self) -> None:
        self.reading, self.writing = await asyncpg.connect(self.url), await asyncpg.connect(self.url)
        self.reads, self.journal = Batcher(self.read_rows), Batcher(self.append)
        self.decompress = zstandard.ZstdDecompressor().decompress

    async def read_rows(self, asked: list[Any]) -> list[Any]:
        types, ids, callers = zip(*asked, strict=True)
        answers: list[Any] = [None] * len(asked)
        for n, version, body in await self.reading.fetch(READ, list(range(len(asked))), types, ids, callers):
            answers[n] = version, body
        return answers

    async def append(self, entries: list[Any]) -> list[Any]:
        await self.writing.copy_records_to_table("bench_journal", records=entries, columns=["b", "leaf"])
        return entries

    async def answer(self, type_: str, id_: str) -> bytes | None:
        row = await self.reads.put((type_, id_, CALLER))
        body = None
        if row is not None:
            version, sealed = row
            body = self.decompress(KEY.decrypt(sealed[:12], sealed[12:], f"{type_}/{id_}/{version}".encode()))
        entry = orjson.dumps(
            {"who": CALLER, "action": "R", "what": f"{type_}/{id_}", "seen": row is not None, "at": time.time()}
        )
        sealed_entry = KEY.encrypt(os.urandom(12), entry, b"journal")
        await self.journal.put((sealed_entry, hashlib.sha256(b"\0" + sealed_entry).digest()))
        return body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await self.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["path"] == "/bare":
            status, body = 200, b"{}"
        else:
            _, type_, id_ = scope["path"].split("/")
            found = await self.answer(type_, id_)
            status, body = (404, b"{}") if found is None else (200, found)
        headers = [(b"content-type", b"application/fhir+json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


async def load(url: str) -> None:
    plain = zstandard.ZstdCompressor().compress(orjson.dumps(OBSERVATION))

    def row(n: int) -> tuple[str, str, int, int, int, bytes]:
        nonce = os.urandom(12)
        sealed = nonce + KEY.encrypt(nonce, plain, f"Observation/o{n}/1".encode())
        return "Observation", f"o{n}", 1, n % PATIENTS, n % 8, sealed

    connection = await asyncpg.connect(url)
    await connection.execute(TABLES)
    await connection.copy_records_to_table("bench_record", records=(row(n) for n in range(ROWS)))
    await connection.copy_records_to_table("bench_grant", records=[(CALLER, p, 255) for p in range(PATIENTS)])
    await connection.execute("analyze bench_record, bench_grant")
    await connection.close()


def main() -> None:
    import uvicorn

    url, port = sys.argv[1], int(sys.argv[2])
    asyncio.run(load(url))
    uvicorn.run(Sketch(url), host="127.0.0.1", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
