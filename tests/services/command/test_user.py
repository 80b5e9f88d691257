"""`liaison user`: a person's account from the link to its end, and back in after everything was lost."""

import json
import time
from typing import Any

import pytest

from liaison.auth.access import internal
from liaison.auth.people import accounts, invitations, second_factor, totp
from liaison.fhir.store.contract import Request
from liaison.services.house import House
from liaison.services.settings import Settings

from ..conftest import Person
from .conftest import PASSWORD, Console, in_house, rights_entries

pytestmark = pytest.mark.http


@pytest.fixture(autouse=True)
def _nobody_has_an_account_yet(settings: Settings, people: dict[str, Person]) -> None:
    """There is one for each person for good, and these tests share the people: what others opened is nobody's."""

    async def leave(house: House) -> None:
        await house.database.writing.execute(
            "update account set ends_at = now() - interval '1 second', fhir_res = account"
        )

    in_house(settings, leave)


def state(console: Console, username: str) -> dict[str, Any]:
    listed: list[dict[str, Any]] = json.loads(console.run("user", "list", "--json").stdout)
    return next(one for one in listed if one["username"] == username)


def chosen(settings: Settings, username: str) -> None:
    """As its owner would by the link."""

    async def choose(house: House) -> None:
        async with house.database.writing.acquire() as connection:
            assert await accounts.set_secret(connection, username, password=PASSWORD)

    in_house(settings, choose)


def administrator(settings: Settings, console: Console, who: Person, username: str) -> bytes:
    """An account of this administrator, with a password and an app; the app's secret."""
    assert console.run("user", "add", username, who.practitioner, stdin=f"{PASSWORD}\n").returncode == 0

    async def enrol(house: House) -> bytes:
        async with house.database.writing.acquire() as connection:
            account = await accounts.by_username(connection, username)
            assert account is not None
            await second_factor.propose(connection, house.vault, account.number)
            secret = await second_factor.proposed(connection, house.vault, account.number)
            assert secret is not None
            code = totp.code_of(secret, totp.step_of(time.time()) - 1)
            assert await second_factor.confirm(connection, house.vault, account.number, code)
            return secret

    return in_house(settings, enrol)


def now(secret: bytes, steps: int = 0) -> str:
    return totp.code_of(secret, totp.step_of(time.time()) + steps)


def test_a_link_is_given_again_until_its_owner_has_chosen(
    console: Console,
    settings: Settings,
    people: dict[str, Person],
) -> None:
    first = console.run("user", "invite", "li.nk", people["gp"].practitioner, "--until", "2099-12-31").stdout.strip()
    assert first.startswith("https://liaison.test/premier-acces/")
    assert state(console, "li.nk")["until"] == "2099-12-31"
    assert state(console, "li.nk")["way_in"] == "none yet, invited"
    again = console.run("user", "link", "Li.Nk").stdout.strip()

    async def whose(house: House) -> tuple[int | None, bool]:
        first_, again_ = [link.rpartition("/")[2] for link in (first, again)]
        reading = house.database.reading
        return await invitations.account_of(reading, first_), await invitations.account_of(reading, again_) is not None

    assert in_house(settings, whose) == (None, True)
    chosen(settings, "li.nk")
    refused = console.run("user", "link", "li.nk")
    assert (refused.returncode, "user recover" in refused.stderr) == (1, True)
    assert state(console, "li.nk")["way_in"] == "password"


def test_a_name_lists_who_of_the_directory_has_it_and_opens_nothing(
    console: Console, settings: Settings, people: dict[str, Person]
) -> None:
    async def of_nurse(house: House) -> str:
        reading = await internal.open_session(house.database.writing, "people")
        read = await house.engine.handle(reading, Request("GET", people["nurse"].practitioner))
        return str(json.loads(read.body)["name"][0]["family"])

    family = in_house(settings, of_nurse)
    asked = console.run("user", "invite", "by.name", family.lower())
    assert asked.returncode == 1
    [line] = [one for one in asked.stderr.splitlines() if one.startswith(people["nurse"].practitioner)]
    assert family.lower() in line.lower()
    assert "urse" in line  # what they do, which tells them from others of the name
    assert "by.name" not in console.run("user", "list", "--json").stdout
    assert console.run("user", "invite", "by.name", line.split()[0]).returncode == 0


def test_suspended_resumed_ended_and_begun_again(
    console: Console,
    people: dict[str, Person],
    service_base: dict[str, str],
) -> None:
    console.run("user", "invite", "on.off", people["nurse"].practitioner)
    before = rights_entries(service_base)
    for words, said, then in (
        (["suspend", "on.off"], "is suspended", "suspended"),
        (["resume", "on.off"], "no longer", "in force"),
        (["end", "on.off"], "has ended", "ended"),
        (["until", "on.off", "none"], "no end", "in force"),
        (["until", "on.off", "2020-02-01"], "has ended", "ended"),
        (["until", "on.off", "2099-02-01"], "until 2099-02-01", "in force"),
    ):
        done = console.run("user", *words)
        assert done.returncode == 0, done.stderr
        assert said in done.stdout
        assert state(console, "on.off")["state"] == then
    assert rights_entries(service_base) == before + 6


def test_what_cannot_be_is_refused_in_one_sentence(
    console: Console,
    people: dict[str, Person],
) -> None:
    nurse = people["nurse"].practitioner
    console.run("user", "invite", "wro.ng", nurse)
    console.run("user", "suspend", "wro.ng")
    for words, code, said in (
        (["invite", "wro.ng", nurse], 1, "taken"),
        (["invite", "ü", nurse], 1, "2 to 64"),
        (["invite", "some.body", "Practitioner/unknown"], 1, "nobody"),
        (["invite", "some.body", "unknown"], 1, "nobody"),
        (["invite", "some.body", nurse, "--until", "demain"], 2, "no date"),
        (["invite", "some.body", nurse, "--until", "2020-01-01"], 2, "passed"),
        (["until", "wro.ng", "30/06/2099"], 2, "no date"),
        (["until", "no.body", "2099-01-01"], 1, "no account"),
        (["end", "no.body"], 1, "no account"),
        (["resume", "no.body"], 1, "no account"),
        (["link", "no.body"], 1, "no account"),
        (["link", "wro.ng"], 1, "user resume"),
        (["suspend", "wro.ng"], 1, "already"),
        (["recover", "wro.ng", "--by", "one"], 2, "Two administrators"),
    ):
        refused = console.run("user", *words)
        assert refused.returncode == code, words
        assert said in refused.stderr, words
        assert "Traceback" not in refused.stderr


def test_there_is_one_account_for_each_person(console: Console, people: dict[str, Person]) -> None:
    """Whoever opens a second one would be that professional."""
    nurse = people["nurse"].practitioner
    assert console.run("user", "invite", "fi.rst", nurse).returncode == 0

    for words in (["invite", "se.cond", nurse], ["add", "se.cond", nurse, "--generate"]):
        refused = console.run("user", *words)
        assert (refused.returncode, "one account for each person" in refused.stderr) == (1, True)
    console.run("user", "suspend", "fi.rst")
    assert console.run("user", "invite", "se.cond", nurse).returncode == 1  # nor round a suspension
    console.run("user", "resume", "fi.rst")
    console.run("user", "end", "fi.rst")
    refused = console.run("user", "invite", "se.cond", nurse)  # nor round its end
    assert (refused.returncode, "prolonged by its last day" in refused.stderr) == (1, True)
    assert console.run("user", "until", "fi.rst", "none").returncode == 0
    states = {one["username"]: one["state"] for one in json.loads(console.run("user", "list", "--json").stdout)}
    assert (states["fi.rst"], states.get("se.cond")) == ("in force", None)


def test_two_accounts_of_one_person_are_not_in_force_together(
    console: Console, people: dict[str, Person], settings: Settings
) -> None:
    """A base from before may hold two, one of them over: whoever suspends one would leave the other."""
    for name, who in (("ear.lier", "nurse"), ("lat.er", "gp")):
        assert console.run("user", "invite", name, people[who].practitioner).returncode == 0
    console.run("user", "end", "ear.lier")

    async def join(house: House) -> None:
        await house.database.writing.execute(
            "update account set fhir_res = (select fhir_res from account where username = 'ear.lier') where username = 'lat.er'"
        )

    in_house(settings, join)

    for day in ("none", "2099-12-31"):
        refused = console.run("user", "until", "ear.lier", day)
        assert (refused.returncode, "one account for each person" in refused.stderr) == (1, True)
    states = {one["username"]: one["state"] for one in json.loads(console.run("user", "list", "--json").stdout)}
    assert (states["ear.lier"], states["lat.er"]) == ("ended", "in force")


def test_two_administrators_prove_themselves_at_the_console(
    console: Console,
    settings: Settings,
    people: dict[str, Person],
) -> None:
    console.run("user", "invite", "lo.st", people["nurse"].practitioner)
    chosen(settings, "lo.st")
    one = administrator(settings, console, people["admin"], "admin.one")
    two = administrator(settings, console, people["auditor"], "admin.two")
    by = ("--by", "admin.one", "--by", "admin.two")

    def recovered(*lines: str, who: tuple[str, ...] = by) -> Any:
        return console.run("user", "recover", "lo.st", *who, stdin="\n".join(lines) + "\n")

    refused = recovered(PASSWORD, now(one), PASSWORD, now(two))
    assert (refused.returncode, "admin.two is no administrator" in refused.stderr) == (1, True)

    async def appoint(house: House) -> None:
        person = house.store.key(*people["auditor"].practitioner.split("/"))
        assert person is not None
        await house.database.writing.execute(
            "update held_role set role_code = 'admin' where practitioner = $1", person.res
        )
        await house.database.writing.execute("update totp set last_step = 0")

    in_house(settings, appoint)
    for lines in ((PASSWORD, "000000", PASSWORD, now(two)), ("wrong password", now(one), PASSWORD, now(two))):
        refused = recovered(*lines)
        assert (refused.returncode, "not proven" in refused.stderr) == (1, True)
        in_house(settings, lambda house: house.database.writing.execute("update totp set last_step = 0"))
    alone_ = recovered(PASSWORD, now(one), PASSWORD, now(one, 1), who=("--by", "admin.one", "--by", "admin.one"))
    assert (alone_.returncode, "Two administrators" in alone_.stderr) == (1, True)
    assert state(console, "lo.st")["way_in"] == "password"
    in_house(settings, lambda house: house.database.writing.execute("update totp set last_step = 0"))

    done = recovered(PASSWORD, now(one), PASSWORD, now(two))

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("https://liaison.test/premier-acces/")
    assert state(console, "lo.st")["way_in"] == "none yet, invited"


def test_the_sealed_code_counts_where_there_are_not_two_others(
    console: Console,
    settings: Settings,
    people: dict[str, Person],
) -> None:
    console.run("user", "invite", "lone.ly", people["nurse"].practitioner)
    code = console.run("user", "seal").stdout.strip()
    in_house(settings, lambda house: house.database.writing.execute("update held_role set active = false"))
    wrong = console.run("user", "recover", "lone.ly", stdin="AAAA\n")
    assert (wrong.returncode, "sealed code" in wrong.stderr) == (1, True)
    assert "/premier-acces/" in console.run("user", "recover", "lone.ly", stdin=f"{code}\n").stdout
    assert console.run("user", "recover", "lone.ly", stdin=f"{code}\n").returncode == 1
    in_house(settings, lambda house: house.database.writing.execute("update held_role set active = true"))
