"""`liaison rules adopt, withdraw`, as an administrator types them beside a service."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from liaison.auth.access import adopted, adopting, class_text, internal, regranting
from liaison.auth.access.adopting import Decision
from liaison.auth.access.rebuild import rebuild
from liaison.auth.access.table import digest_of, packaged, packaged_text
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.fhir.store.contract import Request
from liaison.services.house import House

from ..console import typed

pytestmark = pytest.mark.http  # a whole house each

OTHER = (
    packaged_text()
    .replace('version: "2026.1"', 'version: "2026.2"', 1)
    .replace("read: [MEDS, ALLERGY, LAB, ETP]", "read: [MEDS, ALLERGY, LAB, SYNTH]", 1)
    .replace("SENS, MINOR, AUD, CONSENT, MASKED]", "SENS, MINOR, AUD, CONSENT]", 1)
)
DECISION = ("--by", "Mme Essai, DPO", "--because", "décision 12")


class Desk:
    """A console on the base of a house, and a table in a file."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house, self.file = house, folder / "table.yaml"
        given = {"DATABASE_URL": house.settings.database_url, "KEY_FILE": house.settings.key_file}
        given |= {"DATA": house.settings.data, "PUBLIC_URL": house.settings.public_url}
        self.environment = {**os.environ, **{f"LIAISON_{name}": str(value) for name, value in given.items()}}
        self.file.write_text(OTHER, "utf-8")

    async def run(self, *words: str, given: str = "", code: int = 0) -> tuple[str, str]:
        done = await asyncio.to_thread(typed, self.environment, "rules", *words, given=given)
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout, done.stderr

    async def adopt(self, *words: str, given: str = "oui\n", code: int = 0) -> tuple[str, str]:
        return await self.run("adopt", str(self.file), *words, given=given, code=code)

    async def grants(self) -> list[Any]:
        return sorted(map(tuple, await self.house.database.reading.fetch("select * from access_grant")))

    async def told(self) -> list[Entry]:
        rows = await self.house.database.reading.fetch(
            f"select {', '.join(COLUMNS)} from journal_entry order by at, sequence"
        )
        entries = [unseal(self.house.journal_keys, Record(*row)) for row in rows]
        return [one for one in entries if one.event == Event.RIGHTS]


@pytest.fixture
async def desk(house: House, tmp_path: Path) -> Desk:
    maker = await internal.open_session(house.database.writing, "import")
    for number in range(3):
        body = b'{"resourceType": "Patient", "name": [{"family": "Essai%d"}]}' % number
        assert (await house.engine.handle(maker, Request("POST", "Patient", "", body))).status == 201
    return Desk(house, tmp_path)


async def test_a_classification_is_checked_adopted_shown_and_withdrawn(desk: Desk) -> None:
    packaged_one = class_text.packaged_text()
    other = packaged_one.replace('version: "2026.1"', 'version: "2027.1"', 1).replace('"B20*", ', '"Q90*", "B20*", ', 1)
    desk.file.write_text(other, "utf-8")

    said, _ = await desk.run("check", str(desk.file))
    assert (
        "plus fermé : besides, Q90* (http://hl7.org/fhir/sid/icd-10, tout type, code reasonCode) devient SENS" in said
    )
    assert "Classement, version 2027.1 du 2026-11-22." in said

    said, _ = await desk.adopt(*DECISION)
    assert "Du classement version 2026.1 du 2026-11-22 au classement version 2027.1 du 2026-11-22." in said
    assert "Changements : 1, dont 0 qui ouvrent davantage." in said
    assert "En vigueur : classement, version 2027.1 du 2026-11-22 (décision n° 1)." in said
    assert (await adopted.current(desk.house.database)).settled
    assert (await desk.run("show", "--classes"))[0] == other
    assert (await desk.run("show"))[0] == packaged_text()
    [told] = await desk.told()
    assert told.detail is not None
    assert (told.detail["act"], told.detail["of"], told.reason) == ("rules adopt", "classification", "décision 12")

    desk.file.write_text(packaged_one.replace("PROT, HELD]", "HELD]", 1), "utf-8")
    assert "reste PROT" in (await desk.run("check", str(desk.file), code=1))[0]
    assert "reste PROT" in (await desk.adopt(*DECISION, code=1))[0]

    rule = "  - classes: [SAFETY]\n    types: [Condition]\n    in: [code]\n    codes: [I48*]\n"
    desk.file.write_text(packaged_one.replace("  - classes: [VITAL]\n", rule + "  - classes: [VITAL]\n", 1), "utf-8")
    line = packaged_one.partition("  - classes: [VITAL]\n")[0].count("\n") + 1
    refused = f"ligne {line}, instead : Condition (CLIN), codes I48* : ne devient pas SAFETY"
    assert refused in (await desk.run("check", str(desk.file), code=1))[0]
    assert refused in (await desk.adopt(*DECISION, code=1))[0]

    said, _ = await desk.run("withdraw", *DECISION, given="oui\n")
    assert "moins fermé : besides, Q90*" in said
    assert "Changements : 1, dont 1 qui ouvrent davantage." in said
    assert (await desk.run("show", "--classes"))[0] == packaged_one


async def test_a_table_is_shown_asked_for_adopted_and_withdrawn(desk: Desk) -> None:
    before = await desk.grants()

    said, _ = await desk.adopt(*DECISION)

    assert "De la version 2026.1 du 2026-11-22 à la version 2026.2 du 2026-11-22." in said
    assert "plus large : pharmacist, team, all : lit aussi SYNTH" in said
    assert "plus étroit : pharmacist, team, all : ne lit plus ETP" in said
    assert "Droits plus larges : 1 ; plus étroits : 2. Dossiers : 3." in said
    assert "En vigueur : version 2026.2 du 2026-11-22 (décision n° 1)." in said
    assert "Dossiers dont les droits sont ceux de cette table : 3." in said
    assert await regranting.under_way(desk.house.database) is None
    after = await desk.grants()
    assert len(set(after) - set(before)) == 3
    await rebuild(desk.house.database.writing, desk.house.vault)
    assert await desk.grants() == after

    shown, beside = await desk.run("show")
    assert shown == OTHER
    assert "décision n° 1" in beside
    assert "Droits plus larges : 0 ; plus étroits : 0." in (await desk.run("check", str(desk.file)))[0]
    assert "déjà en vigueur" in (await desk.adopt(*DECISION, code=1))[1]

    await desk.run("withdraw", "--yes", *DECISION)
    assert (await desk.run("show"))[0] == packaged_text()
    assert (await desk.run("show", "--number", "1"))[0] == OTHER
    assert "0, 1, 2" in (await desk.run("show", "--number", "7", code=1))[1]
    assert await desk.grants() == before
    assert "rien à retirer" in (await desk.run("withdraw", "--yes", *DECISION, code=1))[1]

    acts = [(one.path, one.reason, one.detail) for one in await desk.told()]
    assert acts == [
        ("rules adopt", "décision 12",
         {"act": "rules adopt", "number": 1, "version": "2026.2", "by": "Mme Essai, DPO", "digest": digest_of(OTHER)}),
        ("rules withdraw", "décision 12",
         {"act": "rules withdraw", "number": 2, "version": packaged().version, "by": "Mme Essai, DPO",
          "digest": adopted.packaged_digest()}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "given", "code", "said"),
    [
        (("--by", "x"), "y\n", 2, "--because"),
        (("--because", "x"), "y\n", 2, "--by"),
        (DECISION, "non\n", 1, "Rien n'est changé."),
        (DECISION, "\n", 1, "Rien n'est changé."),
    ],
    ids=["no reason", "nobody", "not confirmed", "no answer"],
)
async def test_nothing_changes_without_who_why_and_yes(
    desk: Desk, words: tuple[str, ...], given: str, code: int, said: str
) -> None:
    assert said in (await desk.adopt(*words, given=given, code=code))[1]
    assert (await adopted.current(desk.house.database)).number == 0


async def test_each_reason_why_it_may_not_be_adopted_is_printed(desk: Desk) -> None:
    desk.file.write_text(OTHER.replace('row: "26c"', 'row: "29"').replace("read: [AUD, CONSENT]", "read: [CONSENT]"))
    for command in (("check",), ("adopt", *DECISION)):
        out, _ = await desk.run(command[0], str(desk.file), *command[1:], given="y\n", code=1)
        assert "règle 26c : absente" in out
        assert "le délégué à la protection des données ne lirait plus AUD" in out
    assert (await adopted.current(desk.house.database)).number == 0


async def test_a_date_to_come_is_refused_by_the_clock_of_the_base(desk: Desk) -> None:
    tomorrow = await desk.house.database.reading.fetchval(
        "select ((now() at time zone 'Europe/Paris')::date + 1)::text"
    )
    desk.file.write_text(OTHER.replace("date: 2026-11-22", f"date: {tomorrow}", 1))
    out, _ = await desk.run("check", str(desk.file), code=1)
    assert f"la table porte une date à venir ({tomorrow})" in out
    assert "date à venir" in (await desk.adopt(*DECISION, code=1))[1]
    assert (await adopted.current(desk.house.database)).number == 0


async def test_what_was_stopped_half_way_is_continued(desk: Desk) -> None:
    async with desk.house.database.writing.acquire() as one, one.transaction():
        await adopting.adopt(one, desk.house.vault, OTHER, Decision("DPO", "essai"), 0)
    assert await regranting.under_way(desk.house.database) == regranting.Pass(0, 3)

    await desk.run("adopt", "--continue")

    assert await regranting.under_way(desk.house.database) is None


async def test_a_table_that_this_version_does_not_understand_is_replaced_by_one_that_it_does(desk: Desk) -> None:
    await desk.adopt(*DECISION)
    strange = OTHER.replace("MEDS", "POTIONS")
    await desk.house.database.writing.execute(
        "update adopted_rules set text = $1, digest = $2", strange, digest_of(strange)
    )
    assert "POTIONS" in (await desk.run("check", str(desk.file), code=1))[1]
    served = await asyncio.to_thread(typed, desk.environment, "serve", "--port", "0")
    assert served.returncode == 1
    assert "Adopt one that it understands: liaison rules adopt" in served.stderr

    out, _ = await desk.adopt(*DECISION)

    assert "comparaison avec celle qu'il livre" in out
    assert await adopted.in_force(desk.house.database)
