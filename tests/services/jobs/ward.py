"""A place with professionals and records of one's making, whose journal is looked through pass by pass."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import orjson

from liaison.auth import sessions
from liaison.auth.access import internal, vocabulary
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.auth.journal.integrator import Integrator
from liaison.auth.sessions import BROWSER, Act
from liaison.auth.unusual import choices
from liaison.auth.unusual.openings import PARIS
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request
from liaison.fhir.vault import context
from liaison.services.jobs.watching import watch
from liaison.services.sandbox.past import acting_at

from ..oauth.conftest import Place

Tree = dict[str, Any]
NOON = datetime.combine(date.today() - timedelta(days=1), datetime.min.time(), PARIS) + timedelta(hours=12)
NIGHT = NOON + timedelta(hours=11)
SINCE = NOON.date() - timedelta(days=1)


@dataclass
class Ward:
    """A place with professionals and records of one's making, and the job, pass by pass."""

    place: Place
    integrator: Integrator
    own: asyncpg.Connection
    made: int = 0

    async def make(self, *trees: Tree, by: Caller | None = None) -> list[Key]:
        """Written in one transaction, as the maker of a sandbox, in somebody's name or nobody's; each may refer to
        `urn:uuid:<its place in the call>`."""
        maker = await internal.open_session(self.place.house.database.writing, "sandbox", caller=by)
        entries = [
            {
                "fullUrl": f"urn:uuid:{number}",
                "resource": tree,
                "request": {"method": "POST", "url": tree["resourceType"]},
            }
            for number, tree in enumerate(trees)
        ]
        bundle = orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
        answer = await self.place.house.engine.handle(maker, Request("POST", "", "", bundle))
        assert answer.status == 200, answer.body
        found = []
        for entry in orjson.loads(answer.body)["entry"]:
            type_, id_ = entry["response"]["location"].split("/")[-4:-2]
            key = self.place.house.store.key(type_, id_)
            assert key is not None
            found.append(key)
        return found

    async def professional(self, role: str = "gp", **more: Any) -> Caller:
        """Signed in, in a structure of their own; `more` is of the Practitioner, but `period`, `acts_for`, `at` and
        `structure`."""
        self.made += 1
        organization = {"resourceType": "Organization", "name": f"Cabinet {self.made}", **more.pop("structure", {})}
        period, acts_for, at = more.pop("period", None), more.pop("acts_for", None), more.pop("at", None)
        held = {
            "resourceType": "PractitionerRole",
            "active": True,
            "practitioner": {"reference": "urn:uuid:1"},
            "organization": {"reference": at or "urn:uuid:0"},
            "code": [{"coding": [{"system": vocabulary.ROLE, "code": role}]}],
            **({"period": period} if period else {}),
            **(
                {"extension": [{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": acts_for}}]}
                if acts_for
                else {}
            ),
        }
        person = {
            "resourceType": "Practitioner",
            "name": [{"family": f"SOIGNANT{self.made}", "given": ["Alix"]}],
            **more,
        }
        structure, practitioner, kept = await self.make(organization, person, held)
        where = self.place.house.store.key(*at.split("/")) if at else structure
        assert where is not None
        return await self.acting(practitioner.res, kept.res, where.res, role)

    async def acting(self, practitioner: int, role: int, organization: int, code: str) -> Caller:
        act = Act((practitioner, role), ROLES[code].purpose, code, 0, 0, practitioner, role, organization)
        async with self.place.house.database.writing.acquire() as one:
            session = await sessions.open_session(one, act, BROWSER, 3600)
            caller = await sessions.caller_of(one, session)
        assert caller is not None
        return caller

    def of(self, caller: Caller, type_: str) -> str:
        res = {
            "PractitionerRole": caller.role,
            "Practitioner": caller.practitioner,
            "Organization": caller.organization,
        }
        return self.place.house.store.reference(Key(0, kind_of(type_), res[type_]))

    async def record(self, *team: Caller, by: Caller | None = None, **more: Any) -> str:
        """'Patient/x' with this team, opened `by` somebody; `more` is of the Patient."""
        self.made += 1
        patient = {"resourceType": "Patient", "name": [{"family": f"SUIVI{self.made}", "given": ["Lou"]}],
                   "birthDate": "1950-01-01", **more}  # fmt: skip
        members = [{"member": {"reference": self.of(one, "PractitionerRole")}} for one in team]
        together = {"resourceType": "CareTeam", "status": "active", "subject": {"reference": "urn:uuid:0"},
                    **({"participant": members} if members else {})}  # fmt: skip
        key, *_ = await self.make(patient, together, by=by)
        return self.place.house.store.reference(key)

    async def opens(self, caller: Caller, *records: str, at: datetime = NOON) -> list[int]:
        asked = [Request("GET", path, query) for path, _, query in (one.partition("?") for one in records)]
        async with acting_at(self.place.house, at) as engine:
            return [(await engine.handle(caller, one)).status for one in asked]

    async def on(self, name: str, **values: int) -> None:
        async with self.own.transaction():
            await choices.choose(self.own, name, active=True, since=SINCE, parameters=values, by=0)

    async def informed(self, day: date) -> None:
        """The date of the notice to staff."""
        async with self.own.transaction():
            await choices.date_notice(self.own, day, by=0)

    async def passes(self) -> None:
        house = self.place.house
        await self.integrator.integrate(self.own)
        while await watch(self.own, house.store, house.journal, house.journal_keys, house.settings.fhir_base):
            pass

    async def found(self) -> list[tuple[str, dict[str, Any]]]:
        """(rule, facts) of all that was found, after a pass."""
        await self.passes()
        rows = await self.own.fetch("select access, rule, facts from unusual_finding order by at, rule")
        vault = self.place.house.vault
        return [
            (rule, orjson.loads(vault.territory.open(context("unusual facts", access, rule), facts)))
            for access, rule, facts in rows
        ]
