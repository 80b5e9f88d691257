"""What the papers are told of this installation: its address, host, structures, software, rules. Nothing of a person."""

import json
from dataclasses import dataclass, field
from datetime import date

from liaison.auth.access import adopted, internal
from liaison.auth.access.table import Row, packaged
from liaison.auth.retention import rules as retention
from liaison.auth.retention.rules import Rules
from liaison.fhir.store.contract import Request
from liaison.services.custody import papers
from liaison.services.house import House
from liaison.services.settings import Settings

MOST = 500
"""Structures named in one paper; a territory of more gets their number."""


@dataclass(frozen=True, slots=True)
class Software:
    """One registration in force: `scope` as it was approved, '' for people's own."""

    name: str
    kind: str
    scope: str


@dataclass(frozen=True, slots=True)
class Told:
    """Empty values are shown as « à compléter ». `rows` and `retention` are never empty: the software brings its own."""

    address: str = ""
    founded: date | None = None
    hds_host: str = ""
    hds_until: date | None = None
    journal_years: int | None = None
    """For how long what the journal says can be read; None where nobody has chosen."""
    sign_in_provider: str = ""
    structures: tuple[str, ...] = ()
    software: tuple[Software, ...] = ()
    conventions: tuple[str, ...] = ()
    rules_version: str = field(default_factory=lambda: packaged().version)
    rules_dated: date = field(default_factory=lambda: packaged().dated)
    rows: tuple[Row, ...] = field(default_factory=lambda: packaged().rows)
    retention: Rules = field(default_factory=retention.in_force)


async def gathered(house: House, settings: Settings) -> Told:
    """Of the installation that this house opens. Raises what its database raises."""
    reading = house.database.reading
    known = papers.read(settings.data)
    table = await adopted.in_force(house.database)
    return Told(
        address=settings.public_url,
        founded=date.fromisoformat(known.made_at[:10]) if known else None,
        hds_host=known.hds_host if known else "",
        hds_until=known.expires if known else None,
        journal_years=known.journal_years if known else None,
        sign_in_provider=settings.psc_issuer,
        structures=await _structures(house),
        software=tuple(
            Software(*row)
            for row in await reading.fetch(
                "select name, kind, scope from client where active and registration is null order by name, client_id"
            )
        ),
        conventions=tuple(row[0] for row in await reading.fetch("select convention from audit_mandate order by 1")),
        rules_version=table.version,
        rules_dated=table.dated,
        rows=table.rows,
    )


async def _structures(house: House) -> tuple[str, ...]:
    caller = await internal.open_session(house.database.writing, "papers")
    answer = await house.engine.handle(caller, Request("GET", "Organization", f"_count={MOST}&_sort=name"))
    found = [entry["resource"] for entry in json.loads(answer.body).get("entry", ())]
    return tuple(dict.fromkeys(one["name"] for one in found if one.get("name") and one.get("active", True)))
