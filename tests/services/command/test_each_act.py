"""What an operator does at the console is an entry of the journal, command by command; none is forgotten."""

import importlib
import json
import os
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from tests.auth.vendors.test_request_file import good
from typer.main import get_command

from liaison.auth.access.table import packaged_text
from liaison.auth.journal.entry import Event
from liaison.auth.people import phones
from liaison.auth.vendors import requests
from liaison.auth.vendors.conformance import digest_of
from liaison.fhir.store.database import connection
from liaison.fhir.vault import FileKeyProvider
from liaison.services import command
from liaison.services.house import House
from liaison.services.settings import Settings

from ..conftest import Person, Service, alone, settle
from ..console import typed

PASSWORD = "cheval exact pile agrafe\n"
SIGNAL = "heart-failure-signals#weight-gain"
Acted = tuple[Any, list[int], list[int]]
"""What the command said, and the events of the journal before and after it."""
DECIDED = ["--by", "Mme Essai, DPO", "--why", "décision 12"]


@dataclass
class Here:
    """A base with its people, and a folder."""

    settings: Settings
    environment: dict[str, str]
    people: dict[str, Person]
    organization: str
    folder: Path
    phone: str = ""
    acts: list[Acted] = field(default_factory=list)
    """The rows of the table so far, each done once."""

    def run(self, words: list[str], given: str = "") -> Any:
        return typed(self.environment, *words, given=given)

    def told(self) -> list[int]:
        """The events of the journal so far."""

        async def look() -> list[int]:
            one = await connection(self.settings.database_url)
            try:
                rows = await one.fetch("select event from journal_entry where event < 90")
            finally:
                await one.close()
            return sorted(row["event"] for row in rows)

        return alone(look)


@pytest.fixture(scope="module")
def here(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    folder = tmp_path_factory.mktemp("acts")
    FileKeyProvider.create(folder / "key")
    name = alone(postgres.create)
    settings = Settings(
        database_url=postgres.url(name),
        data=folder / "data",
        key_file=folder / "key",
        public_url="https://liaison.test",
    )
    settings.data.mkdir()
    people, organization = alone(lambda: settle(settings))
    environment = {
        **os.environ,
        "LIAISON_DATABASE_URL": settings.database_url,
        "LIAISON_DATA": str(settings.data),
        "LIAISON_KEY_FILE": str(folder / "key"),
        "LIAISON_PUBLIC_URL": "https://liaison.test",
    }
    made = Here(settings, environment, people, organization, folder)
    key = ECKey.generate_key("P-384", parameters={"kid": "k"})
    (folder / "jwks.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    scopes = [{"scope": "system/Observation.rs", "reason": "Relever les constantes."}]
    asked = good(client_id="releve", kind="backend", redirect_uris=None, role="nurse", scopes=scopes)
    (folder / "request.json").write_text(json.dumps(asked))
    check = {"name": "works", "result": "passed", "why": ""}
    made_of = {"client_id": "releve", "file": digest_of(asked), "made_at": "2026-03-01T10:00:00+00:00"}
    (folder / "report.json").write_text(json.dumps({**made_of, "checks": [check]}))
    table = packaged_text().replace('version: "2026.1"', 'version: "2026.2"')
    (folder / "table.yaml").write_text(table, "utf-8")

    async def enrol() -> str:
        async with House.opened(settings) as house, house.database.writing.acquire() as one:
            number = await one.fetchval("select organization from held_role limit 1")
            secret = await phones.enrol(one, number, "Téléphone 3")
            found = await phones.find(one, secret)
            assert found is not None
            return str(found.number)

    made.phone = alone(enrol)
    unused: Any = None
    Service("", settings, unused, people, organization).patient()
    yield made
    alone(lambda: postgres.drop(name))


ACTS: list[tuple[list[str], str, Event]] = [
    (["user", "add", "a.gp", "{gp}"], PASSWORD, Event.RIGHTS),
    (["user", "invite", "b.nurse", "{nurse}"], "", Event.RIGHTS),
    (["user", "link", "b.nurse"], "", Event.RIGHTS),
    (["user", "suspend", "a.gp"], "", Event.RIGHTS),
    (["user", "resume", "a.gp"], "", Event.RIGHTS),
    (["user", "until", "a.gp", "2099-12-31"], "", Event.RIGHTS),
    (["user", "sessions", "a.gp", "--end-all"], "", Event.SIGN_OUT),
    (["user", "seal"], "", Event.RIGHTS),
    (["user", "end", "b.nurse"], "", Event.RIGHTS),
    (
        ["client", "add", "meters", "--kind", "backend", "--name", "Tensiomètres", "--scope", "system/Observation.rs",
         "--algorithm", "ES384", "--jwks", "{folder}/jwks.json", "--organization", "{organization}", "--role", "nurse"],
        "", Event.RIGHTS,
    ),
    (["client", "keys", "meters", "--jwks", "{folder}/jwks.json"], "", Event.RIGHTS),
    (["client", "review", "meters"], "", Event.RIGHTS),
    (["client", "suspend", "meters"], "", Event.RIGHTS),
    (["client", "end", "meters"], "", Event.RIGHTS),
    (["client", "request", "{folder}/request.json"], "", Event.RIGHTS),
    (["client", "conformance", "{folder}/report.json"], "", Event.RIGHTS),
    (["client", "activate", "releve", "{organization}"], "", Event.RIGHTS),
    (["client", "deactivate", "releve", "{organization}"], "", Event.RIGHTS),
    (["phone", "end", "{phone}"], "", Event.RIGHTS),
    (["keys", "rotate", "signing"], "", Event.RIGHTS),
    (["keys", "rotate", "journal"], "", Event.KEYS),
    (["keys", "rotate", "visits"], "", Event.KEYS),
    (["keys", "envelopes"], "", Event.KEYS),
    (["rights", "rebuild"], "", Event.RIGHTS),
    (["rules", "adopt", "{folder}/table.yaml", "--yes", "--by", "Mme Essai", "--because", "décision 12"], "", Event.RIGHTS),
    (["rules", "withdraw", "--yes", "--by", "Mme Essai", "--because", "décision 13"], "", Event.RIGHTS),
    (["protocol", "adopt", SIGNAL, "--by", "Dr Essai", "--because", "décision 14"], "", Event.CONFIGURATION),
    (["protocol", "withdraw", SIGNAL, "--because", "décision 15"], "", Event.CONFIGURATION),
    (["protocol", "publish", "--by", "Mme Essai"], "", Event.CONFIGURATION),
    (["protocol", "calendar", "--on", "2026-12-31"], "", Event.SEARCH),
    (["reindex"], "", Event.JOB),
    (["dpo", "papers", "--into", "{folder}/papers"], "", Event.JOB),
    (["retention", "plan"], "", Event.JOB),
    (["retention", "holds"], "", Event.JOB),
    (["journal", "export", "{folder}/journal.jsonl"], "", Event.EXPORT),
    (["journal", "generate", "--entries", "20"], "", Event.JOB),
    (["journal", "mandate", "{organization}", "--convention", "Convention 12", "--by", "Mme Essai"], "", Event.RIGHTS),
    (["backup", "--to", "{folder}/backups"], "", Event.BACKUP),
]  # fmt: skip
ELSEWHERE = {
    "import": "services/loading/test_import.py",  # each resource is a CREATE or an UPDATE
    "init": "services/command/test_operations.py",
    "journal expire": "services/command/test_journal_expire.py",
    "journal prove": "services/command/test_operations.py",
    "restore": "services/custody/test_restore.py",
    "retention apply": "services/custody/test_retaining.py",
    "retention archive": "services/custody/test_retaining.py",
    "retention hold": "services/custody/test_retaining.py",
    "retention lift": "services/custody/test_retaining.py",
    "retention reopen": "services/custody/test_retaining.py",
    "user recover": "services/command/test_user.py",
}
NO_ACT = {
    "backup verify": "restores a copy apart and counts; shows nothing of it",
    "client list": "names software",
    "doctor": "counts and checks",
    "journal checkpoint": "a signed number and hash",
    "journal key": "what is public",
    "journal stats": "counts",
    "journal verify": "a verdict; the service's own once a day is none either",
    "keys recover": "puts a key file together from its codes, where nothing can be opened yet",
    "keys status": "counts",
    "migrate": "tables, and the protocols, whose entry is that of publishing; the version is in the entry of settings when the service starts (governing)",
    "phone list": "names telephones",
    "protocol check": "reads a file",
    "protocol diff": "compares a file with what is published",
    "protocol published": "what is published, and by whom",
    "protocol signals": "what is published, and who adopted it",
    "protocol list": "what is published",
    "rules check": "reads a file",
    "rules show": "what is published",
    "sandbox": "invented people",
    "sandbox tamper": "does what an operator could do behind the journal's back",
    "sandbox token": "asks at the token endpoint, which writes its entry",
    "serve": "the start of each chain, and the settings where they changed (governing)",
    "user list": "names staff",
}


@pytest.mark.parametrize("at", range(len(ACTS)), ids=[" ".join(words[:2]) for words, *_ in ACTS])
def test_an_act_at_the_console_is_an_entry(here: Here, at: int) -> None:
    """In the order of the table: later ones build on earlier ones, which another process of the test run may have asked."""
    while len(here.acts) <= at:
        words, given, _event = ACTS[len(here.acts)]
        here.acts.append(_act(here, words, given))
    done, before, after = here.acts[at]
    event = ACTS[at][2]
    assert done.returncode == 0, done.stdout + done.stderr
    assert after.count(event) > before.count(event), f"{len(after) - len(before)} entries, none of them {event.name}"


def _act(here: Here, words: list[str], given: str) -> Acted:
    known = {key: one.practitioner for key, one in here.people.items()}
    known |= {"folder": str(here.folder), "organization": here.organization, "phone": here.phone}
    if words[1:2] == ["activate"]:
        alone(lambda: _approved(here.settings))
    before = here.told()
    done = here.run([one.format(**known) for one in words], given)
    return done, before, here.told()


async def _approved(settings: Settings) -> None:
    """By both who must."""
    async with House.opened(settings) as house, house.database.writing.acquire() as one:
        number = await one.fetchval("select max(request) from client_request")
        for part, person in (("admin", 1), ("dpo", 2)):
            async with one.transaction():
                await requests.approve(one, number, part, person)


def test_no_command_is_forgotten() -> None:
    for module in pkgutil.iter_modules(command.__path__):
        importlib.import_module(f"{command.__name__}.{module.name}")

    def every(one: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
        below = getattr(one, "commands", None)
        if not below or getattr(one, "invoke_without_command", False):
            yield " ".join(path)
        for name, other in (below or {}).items():
            yield from every(other, (*path, name))

    known = {" ".join(words[: 1 if words[0] in ("reindex", "backup") else 2]) for words, *_ in ACTS}
    assert set(every(get_command(command.app))) == known | ELSEWHERE.keys() | NO_ACT.keys()
    tests = Path(__file__).parents[2]
    for name, path in ELSEWHERE.items():
        assert re.search(r"Event\.|journal|entries", (tests / path).read_text("utf-8")), name  # and says what it finds
