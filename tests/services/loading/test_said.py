"""Which loads may be stored at the same time."""

from typing import Any

import pytest

from liaison.services.loading.said import Said, said
from liaison.services.loading.sources import Group, Item

BASE = "https://here.example/fhir"
Tree = dict[str, Any]


def item(url: str = "", none_exist: str = "", **tree: Any) -> Item:
    one = Item("", {"resourceType": "Basic", **tree}, url, none_exist)
    one.texts = frozenset(tree.get("texts", ()))
    return one


def of(*items: Item) -> Said:
    return said([Group("g", list(items))], BASE)


NAMED = item("urn:uuid:1", id="a")
NUMBERED = item("urn:uuid:2", identifier=[{"system": "urn:s", "value": "1"}])
SOUGHT = item("urn:uuid:2", "identifier=urn:s|1", identifier=[{"system": "urn:s", "value": "1"}])
PERSON = item("urn:uuid:2", resourceType="Patient", identifier=[{"system": "urn:s", "value": "1"}])


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (NAMED, item("urn:uuid:3", id="b"), False),
        (NAMED, item("urn:uuid:1", id="c"), True),  # the same resource, newer perhaps
        (NAMED, item("urn:uuid:3", texts=["urn:uuid:1"]), True),
        (NAMED, item("urn:uuid:3", texts=["Basic/a"]), True),
        (NAMED, item("urn:uuid:3", texts=["Basic/b"]), False),
        (NUMBERED, item("urn:uuid:3", texts=["Practitioner?identifier=urn:s|1"]), True),
        (NUMBERED, item("urn:uuid:3", texts=[f"{BASE}/Practitioner?identifier=urn:s|1"]), True),
        (NUMBERED, item("urn:uuid:3", texts=["Practitioner?identifier=urn:s|2"]), False),
        (NUMBERED, item("urn:uuid:3", "identifier=urn:s|1"), True),
        (NUMBERED, item("urn:uuid:3", "Practitioner?identifier=urn:s|1"), True),
        (NUMBERED, item("urn:uuid:3", "identifier=urn:s|2"), False),
        (NUMBERED, item("urn:uuid:3", identifier={"system": "urn:s", "value": "1"}), False),  # nobody looks for it
        (SOUGHT, item("urn:uuid:3", identifier={"system": "urn:s", "value": "1"}), True),
        (SOUGHT, item("urn:uuid:3", "identifier=urn:s|1", identifier=[{"system": "urn:s", "value": "1"}]), True),
        (PERSON, item("urn:uuid:3", identifier={"system": "urn:s", "value": "1"}), False),
        (PERSON, item("urn:uuid:3", resourceType="Patient", identifier={"system": "urn:s", "value": "1"}), True),
        (NAMED, item("urn:uuid:3", texts=["Practitioner?family=Le Goff"]), True),  # who knows what that matches
        (NAMED, item("urn:uuid:3", "identifier=1"), True),
    ],
)
def test_two_loads_meet_where_one_may_find_what_the_other_makes(one: Item, other: Item, meet: bool) -> None:
    assert of(one).meets(of(other)) is of(other).meets(of(one)) is meet


def test_what_two_loads_both_ask_for_keeps_none_of_them_waiting() -> None:
    reader = item("urn:uuid:3", texts=["Practitioner?identifier=urn:s|1"])
    other = item("urn:uuid:4", texts=["Practitioner?identifier=urn:s|1"])

    assert not of(reader).meets(of(other))


def test_what_could_not_be_read_says_nothing() -> None:
    assert of(Item("", None)) == Said(frozenset(), frozenset())
