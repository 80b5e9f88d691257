"""How many tokens a second systems get, and what a token costs each request once it is known.

python -m tests.bench.tokens     alone, on an empty base; `make bench` has it among the rest
"""

import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from joserfc.jwk import ECKey
from tests.auth.oauth2.conftest import Software
from tests.bench import territory
from tests.bench.generator import cycle, drive

from liaison.auth.oauth2 import clients, rfc7523, rfc9068
from liaison.auth.oauth2.rfc6749 import client_credentials
from liaison.services.house import House
from liaison.services.settings import Settings

CLIENTS: Final = 40
"""So many that the limit of each (rate_limits.TOKENS) is not what is measured."""
GOAL: Final = 200.0
KNOWN_GOAL: Final = 50.0
SCOPE: Final = "system/Observation.rs"


async def registered(house: House, owner: int) -> list[Software]:
    """Backends of one organisation, with ES384, the dearer of the two algorithms to verify."""
    made = []
    async with house.database.writing.acquire() as connection:
        for number in range(CLIENTS):
            key = ECKey.generate_key("P-384", parameters={"kid": "1"})
            client = await clients.add(
                connection,
                client_id=f"bench-{number}-{time.time_ns()}",
                kind="backend",
                name="Bench",
                scope=SCOPE,
                jwks={"keys": [key.as_dict(private=False)]},
                algorithm="ES384",
                organization=owner,
                role_code="nurse",
                purpose=1,
            )
            made.append(Software(client, key, "ES384"))
    return made


async def measured(house: House, address: str, owner: int, seconds: int) -> list[tuple[str, str, str]]:
    """Assertions are signed before: a client's work is not the server's."""
    software = await registered(house, owner)
    url = f"{house.settings.public_url}/oauth/token"
    wanted = int(GOAL * 4 * seconds)
    requests = []
    for number in range(wanted):
        form = {
            "grant_type": "client_credentials",
            "scope": SCOPE,
            "client_assertion_type": rfc7523.ASSERTION_TYPE,
            "client_assertion": software[number % CLIENTS].assertion(aud=url, jti=f"{number}"),
        }
        requests.append(("POST", "/oauth/token", urlencode(form)))
    headers = {"content-type": "application/x-www-form-urlencoded"}
    got = await asyncio.to_thread(drive, address, cycle(requests, headers), connections=16, seconds=seconds)
    refused = f", {got.refused} refused" if got.refused else ""
    told = f"{got.rate:.0f}/s, p50 {got.p50:.1f} ms, p95 {got.p95:.1f} ms{refused}"
    return [
        ("backend tokens, 16 connections", told, f"aimed at: {GOAL:.0f}/s"),
        (
            "a known token",
            f"{await known(house, software[0]):.1f} µs a request",
            f"aimed at: under {KNOWN_GOAL:.0f} µs",
        ),
    ]


async def known(house: House, software: Software) -> float:
    """Median microseconds of processor time of asking who is calling, for a token that was seen before."""
    async with house.database.writing.acquire() as connection:
        session, _ = await client_credentials.open_for(connection, software.client, "", 300)
    token = await rfc9068.issue(
        house.signing_keys,
        issuer=house.settings.public_url,
        audience=house.settings.fhir_base,
        subject="bench",
        client_id=software.client.client_id,
        session=session,
    )
    header = f"Bearer {token}"
    await house.authenticator.caller(header)
    times = []
    for _ in range(20):
        began = time.process_time()
        for _ in range(500):
            await house.authenticator.caller(header)
        times.append((time.process_time() - began) / 500 * 1e6)
    return statistics.median(times)


def main() -> None:
    seconds = int(os.environ.get("BENCH_SECONDS", "6"))
    with tempfile.TemporaryDirectory(prefix="liaison-bench-") as folder:
        settings = territory.settings_in(Path(folder))
        subprocess.run([territory.LIAISON, "migrate"], env=territory.environment(settings), check=True)
        with territory.serving(settings, int(os.environ.get("BENCH_WORKERS", "2"))) as (address, _):
            asyncio.run(_alone(settings, address, seconds))


async def _alone(settings: Settings, address: str, seconds: int) -> None:
    async with House.opened(settings) as house:
        rows: Any = await measured(house, address, 7001, seconds)
        for row in rows:
            print("  ".join(row))


if __name__ == "__main__":
    main()
