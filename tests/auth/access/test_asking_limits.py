"""How many questions about identities may be asked: one kind of work never stops another, and more accounts are not more
guesses."""

import json
from typing import Any

import pytest

from liaison.auth.access import asking_limits
from liaison.auth.access.asking_limits import LIMITS, TOGETHER, Account, Limit

from .arrivals import parameters, registered, said, traits

pytestmark = pytest.mark.alone

Tree = dict[str, Any]


def _newcomer(number: int) -> Tree:
    tree = traits(f"ARRIVEE{chr(65 + number // 26)}{chr(65 + number % 26)}")
    del tree["identifier"]
    return tree


async def _guess(territory: Any, person: Any) -> int:
    asked = parameters(traits("PERSONNE"), ground="recognised", means="oral")
    status: int = (await territory.ask(person.caller, "POST", "Patient/$join", asked)).status
    return status


async def _asks(territory: Any, person: Any) -> int:
    """Whether somebody is known, which a secretary may ask too."""
    status: int = (await territory.ask(person.caller, "POST", "Patient/$lookup", parameters(traits("PERSONNE")))).status
    return status


async def test_a_long_list_leaves_look_ups_and_emergencies_as_they_were(territory: Any) -> None:
    gp, other = await territory.person("gp"), await territory.person("gp")
    patient = await registered(territory, other)

    received = [
        (await territory.ask(gp.caller, "POST", "Patient/$register", parameters(_newcomer(number)))).status
        for number in range(LIMITS[Account.LOOKUP].questions + 5)
    ]

    assert set(received) == {201}
    urgent = parameters(traits(), reason="Trouvé inconscient à son domicile")
    assert said(await territory.ask(gp.caller, "POST", "Patient/$emergency-access", urgent))["patient"] == patient
    assert said(await territory.ask(gp.caller, "POST", "Patient/$lookup", parameters(traits())))["result"] == "known"


async def test_guesses_at_the_desk_do_not_close_emergencies(territory: Any) -> None:
    gp, other = await territory.person("gp"), await territory.person("gp")
    await registered(territory, other)
    while await _guess(territory, gp) != 429:
        pass

    urgent = parameters(traits(), reason="Trouvé inconscient à son domicile")
    answer = await territory.ask(gp.caller, "POST", "Patient/$emergency-access", urgent)

    assert "patient" in said(answer)


async def test_who_is_seen_already_is_not_counted(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, Account.DESK, Limit(2, 2))
    gp = await territory.person("gp")
    await registered(territory, gp)

    for _ in range(4):
        answer = await territory.ask(gp.caller, "POST", "Patient/$register", parameters(traits()))
        assert said(answer)["result"] == "known"


async def test_a_full_account_says_when_there_is_room_again(territory: Any) -> None:
    nurse = await territory.person("nurse")
    statuses = [await _guess(territory, nurse) for _ in range(LIMITS[Account.LOOKUP].failures)]
    asked = parameters(traits(), ground="recognised", means="oral")
    answer = await territory.ask(nurse.caller, "POST", "Patient/$join", asked)

    assert set(statuses) == {404}
    assert answer.status == 429
    seconds = int(dict(answer.headers)["retry-after"])
    assert 0 < seconds <= asking_limits.WINDOW.total_seconds()
    assert "again in 60 min" in json.loads(answer.body)["issue"][0]["diagnostics"]

    # The first half an hour later: what is left of the hour is half of it; and after the hour there is room.
    move = "update identity_attempt set at = at - $1::interval"
    await territory.database.writing.execute(move, asking_limits.WINDOW / 2)
    assert int(dict((await territory.ask(nurse.caller, "POST", "Patient/$join", asked)).headers)["retry-after"]) <= 1800
    await territory.database.writing.execute(move, asking_limits.WINDOW / 2)
    assert await _guess(territory, nurse) == 404


async def test_more_secretaries_are_not_more_guesses(territory: Any) -> None:
    gp = await territory.person("gp")
    most = LIMITS[Account.LOOKUP].failures * TOGETHER
    secretaries = [await territory.person("secretary", acts_for=gp.role) for _ in range(TOGETHER + 1)]

    answers = [await _asks(territory, one) for one in secretaries for _ in range(LIMITS[Account.LOOKUP].failures)]

    assert answers.count(200) == most
    assert answers[most:] == [429] * LIMITS[Account.LOOKUP].failures
    assert await _guess(territory, gp) == 429
    assert await _guess(territory, await territory.person("gp")) == 404


async def test_what_no_limit_counts_any_more_is_swept(territory: Any) -> None:
    nurse = await territory.person("nurse")
    await _guess(territory, nurse)
    await territory.database.writing.execute("update identity_attempt set at = at - $1::interval", asking_limits.WINDOW)
    await _guess(territory, nurse)

    await asking_limits.sweep(territory.database.writing)

    assert await territory.database.reading.fetchval("select count(*) from identity_attempt") == 1
