"""Who may give a tour to whom, for which days, and what stands in a line afterwards."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from liaison.auth.access.intervals import FOREVER
from liaison.auth.access.team_writing import actor
from liaison.auth.people.managers import Person
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.team.days import NotComplete
from liaison.services.pages.team.listing import Listed
from liaison.services.pages.team.tour import Line, at_once, denies, entered, handed_over, may_be_absent, week_end

from ...oauth.conftest import Place
from .test_team import invite, person

TODAY = date(2026, 11, 28)  # a Saturday
SUNDAY = date(2026, 11, 29)


def aide(role: int, *, starts: date = date(2026, 1, 1), ends: datetime = FOREVER, **more: Any) -> Listed:
    said: dict[str, Any] = {"active": True, "over": False, **more}
    of = Person(
        practitioner=role + 100, role=role, role_code=said.get("code", "home-aide"), active=said["active"], awaits=False,
        starts=datetime(starts.year, starts.month, starts.day, tzinfo=UTC), ends=ends, over=said["over"], acts_for=0,
        stands_for="", account=role, username=f"aide{role}", alone=True, own=True, has_secret=True,
    )  # fmt: skip
    return Listed(of, f"Aide {role}", "Aide à domicile", None, None, said.get("on_phone", True), False, False)


def test_the_week_end_is_what_is_meant_when_no_day_is_said() -> None:
    stretch = entered({"de": "1", "vers": "2"}, [aide(1), aide(2)], TODAY)

    assert (stretch.since, stretch.until) == (TODAY, SUNDAY)
    assert [one.of.role for one in (stretch.absent, stretch.taker) if one] == [1, 2]
    assert week_end(SUNDAY) == SUNDAY
    assert week_end(date(2026, 11, 23)) == SUNDAY


@pytest.mark.parametrize(
    ("given", "field"),
    [
        pytest.param({"debut": "2026-11-27"}, "debut", id="yesterday"),
        pytest.param({"debut": "demain"}, "debut", id="no day"),
        pytest.param({"fin": "2026-11-27"}, "fin", id="ends before it begins"),
        pytest.param({"fin": "2027-01-15"}, "fin", id="more than a month"),
        pytest.param({"vers": "1"}, "vers", id="the same person"),
        pytest.param({"vers": "3"}, "vers", id="suspended"),
        pytest.param({"vers": "4"}, "vers", id="over"),
        pytest.param({"vers": "5"}, "fin", id="whose contract ends on Saturday"),
        pytest.param({"vers": "6"}, "fin", id="who begins on Sunday"),
        pytest.param({"vers": "7"}, "vers", id="of another function"),
        pytest.param({"vers": "77"}, "vers", id="nobody of hers"),
        pytest.param({"de": "77"}, "de", id="nobody of hers is absent"),
    ],
)
def test_nobody_takes_what_they_could_not_make(given: dict[str, str], field: str) -> None:
    people = [
        aide(1),
        aide(2),
        aide(3, active=False),
        aide(4, over=True),
        aide(5, ends=datetime(2026, 11, 28, 23, tzinfo=UTC)),  # midnight in Paris
        aide(6, starts=SUNDAY),
        aide(7, on_phone=False, code="secretary"),
    ]

    with pytest.raises(NotComplete) as refused:
        entered({"de": "1", "vers": "2", "fin": "2026-11-29", **given}, people, TODAY)
    assert refused.value.field == field


def test_the_tour_of_somebody_who_has_left_can_still_be_taken_over() -> None:
    gone = aide(1, active=False, over=True)

    assert entered({"de": "1", "vers": "2"}, [gone, aide(2)], TODAY).absent == gone


def test_who_has_left_is_no_choice_but_from_their_card() -> None:
    people = [aide(1), aide(2, active=False), aide(3, over=True), aide(4, on_phone=False, code="secretary")]

    assert [one.of.role for one in people if may_be_absent(one, "")] == [1, 2]  # suspended: she works there still
    assert [one.of.role for one in people if may_be_absent(one, "3")] == [1, 2, 3]


def line(*actors: str, at: int = 9, minutes: int = 30, **more: Any) -> Line:
    start = datetime(2026, 11, 28, at, tzinfo=UTC)
    participant = [{"actor": {"reference": one}, "status": "accepted"} for one in ("Patient/p", *actors)]
    tree = {"resourceType": "Appointment", "id": "a", "meta": {"versionId": "3"}, "participant": participant, **more}
    return Line(tree, identity({}), start, start + timedelta(minutes=minutes), "")


def test_one_name_gives_way_to_the_other_and_nothing_else_of_the_visit_changes() -> None:
    taker = {"reference": "PractitionerRole/b", "display": "B (aide à domicile)"}
    both = line("PractitionerRole/a", "PractitionerRole/c", description="Toilette")

    [entry] = handed_over([both], {"PractitionerRole/a", "Practitioner/pa"}, taker)["entry"]

    assert entry["request"] == {"method": "PUT", "url": "Appointment/a", "ifMatch": 'W/"3"'}
    assert [one["actor"]["reference"] for one in entry["resource"]["participant"]] == [
        "Patient/p", "PractitionerRole/c", "PractitionerRole/b",
    ]  # fmt: skip
    assert entry["resource"]["description"] == "Toilette"


def test_whoever_comes_already_comes_once() -> None:
    taker = {"reference": "PractitionerRole/b"}
    two = line("PractitionerRole/a", "PractitionerRole/b")

    [entry] = handed_over([two], {"PractitionerRole/a"}, taker)["entry"]

    assert [one["actor"]["reference"] for one in entry["resource"]["participant"]] == [
        "Patient/p",
        "PractitionerRole/b",
    ]


@pytest.mark.parametrize(
    ("provision", "denied"),
    [
        pytest.param({"type": "deny", "actor": [actor("PractitionerRole/b")]}, True, id="her"),
        pytest.param({"type": "deny", "actor": [actor("PractitionerRole/c")]}, False, id="another"),
        pytest.param({"type": "permit", "actor": [actor("PractitionerRole/b")]}, False, id="a permission"),
        pytest.param({"type": "permit", "provision": [{"type": "deny", "actor": [actor("PractitionerRole/b")]}]}, True, id="within"),
        pytest.param(None, False, id="none"),
    ],
)  # fmt: skip
def test_a_person_who_refuses_her_is_found(provision: object, denied: bool) -> None:
    assert denies(provision, {"PractitionerRole/b", "Practitioner/pb"}) is denied


def test_two_visits_at_once_are_told() -> None:
    assert at_once(line(at=9), line(at=9, minutes=5))
    assert not at_once(line(at=9, minutes=60), line(at=10))


async def test_the_page_is_the_managers_and_names_only_hers(managed: Place, manager: Any) -> None:
    await invite(manager)
    mine = await person(manager)

    page = await manager.get("/equipe/tournee", params={"vers": mine})
    assert page.status_code == 200
    assert "Aucune visite ces jours-là." in page.text
    others = await managed.house.database.reading.fetch("select role from held_role where role <> $1", int(mine))
    for number in (*(str(row["role"]) for row in others), "1", "x", "9" * 30):
        for field in ("de", "vers"):
            assert (await manager.get("/equipe/tournee", params={field: number})).status_code == 422, number
    async with managed.signed_in("both") as browser:
        assert (await browser.get("/equipe/tournee")).status_code in (303, 404)
