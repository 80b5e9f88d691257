"""Paths of `_filter` through other resources: chains, what stands in brackets, and that nothing hidden is found by them."""

from typing import Any
from urllib.parse import quote

import pytest

from liaison.fhir.errors import BadRequest, Forbidden, TooCostly
from liaison.fhir.search import links
from liaison.fhir.search.decide import Budget
from liaison.fhir.search.expression import Expression, joined

from .conftest import PSY, Territory
from .linked import House


@pytest.fixture
async def house(territory: Territory) -> House:
    made = await House.furnished(territory)
    await made.observation("said", "paul", "1-8", valueString="Élan vital")
    return made


FOUND = (
    ("Observation", "subject.name co fevr", "alone o-zoe"),
    ("Observation", "subject:Patient.name eq petit", "o-paul said"),
    ("Observation", "patient.birthdate lt 1950", "alone o-zoe"),
    ("Observation", "patient.birthdate pr false", ""),
    ("Observation", "patient.general-practitioner pr true", "alone o-zoe"),
    ("Observation", "encounter.class eq HH", "o-zoe"),
    ("Observation", "encounter.class ne HH", "o-paul"),
    ("Observation", "encounter.service-provider.partof.name sw pneumo", "o-paul o-zoe"),
    ("Observation", "encounter.participant:Practitioner.name eq durand", "o-zoe"),
    ("Observation", "subject:Patient re {zoe}", "alone o-zoe"),
    # with others
    ("Observation", "encounter.class eq HH or encounter.class eq AMB", "o-paul o-zoe"),
    ("Observation", "encounter.class eq HH and subject.name co fevr", "o-zoe"),
    ("Observation", "encounter.class eq HH and subject.name co petit", ""),
    ("Observation", "not (encounter.class eq HH)", "alone o-paul said"),
    ("Observation", "not (encounter.class eq HH) and patient re {zoe}", "alone"),
    ("Observation", "not (encounter.class eq HH or subject.name eq petit)", "alone"),
    ("Observation", "code eq 9279-1 or encounter.class eq AMB", "alone o-paul"),
    # beside what is decided after decryption
    ("Observation", "value-string co vital or encounter.class eq HH", "o-zoe said"),
    ("Observation", "not (value-string co vital or encounter.class eq HH)", "alone o-paul"),
    ("Observation", "value-string co vital and subject.name eq petit", "said"),
    ("Observation", "(value-string co vital or encounter.class eq HH) and patient re {paul}", "said"),
    ("Observation", "value-string co vital or (not (subject.name eq petit) and not (encounter.class eq HH))", "alone said"),
    # brackets: of one and the same resource
    ("Observation", "encounter[class eq HH].status eq finished", "o-zoe"),
    ("Observation", "encounter[class eq HH].status eq planned", ""),
    ("Observation", "encounter[class eq HH or class eq AMB].service-provider[name eq 2].partof.name sw pneumo", ""),
    ("Observation", "encounter[class eq HH or class eq AMB].service-provider[name sw unite].partof.name sw pneumo", "o-paul o-zoe"),
    ("Observation", "encounter[participant.name eq durand].class pr true", "o-zoe"),
    ("Observation", "encounter[participant.name eq durand and not (class eq HH)].class pr true", ""),
    ("Observation", "patient[birthdate lt 1950].family pr true", "alone o-zoe"),
    ("Observation", "patient[not (name co petit)].general-practitioner.name eq petit", "alone o-zoe"),
    # to the directory, and from it
    ("Encounter", "participant.name eq durand", "e-zoe"),
    ("Organization", "partof.partof.name co hopital", "unit"),
    ("Organization", "partof[name sw pneumo].partof.name co hopital", "unit"),
    ("Patient", "organization.partof.name sw pneumo or general-practitioner.name eq petit", "paul zoe"),
)  # fmt: skip


async def test_what_references_lead_to_can_be_asked_about(house: House) -> None:
    for type_, text, wanted in FOUND:
        ids = {name: house.territory.id(key) for name, key in house.names.items()}
        query = "_filter=" + quote(text.format(**ids))
        assert await house.found(type_, query) == wanted, text
        assert await house.found(type_, f"{query}&_sort=_id&_total=accurate") == wanted, text


async def test_brackets_and_the_rest_of_the_path_are_about_one_resource(house: House) -> None:
    """Two performers, of whom none is both: one is inactive, the other is called Durand."""
    await house.add("old", {"resourceType": "Practitioner", "name": [{"family": "Martin"}], "active": False})
    await house.observation("both", "zoe", performer=[house.ref("durand"), house.ref("old")])
    of_one = quote("performer:Practitioner[active eq false].name eq durand")
    of_each = quote("performer:Practitioner.active eq false and performer:Practitioner.name eq durand")

    assert await house.found("Observation", f"_filter={of_one}") == ""
    assert await house.found("Observation", f"_filter={of_each}") == "both"


async def test_nothing_is_found_through_what_may_not_be_seen(house: House) -> None:
    territory = house.territory
    await house.patient("hidden", seen=False, name=[{"family": "Caché"}])
    await house.observation("through", "zoe", focus=[house.ref("hidden")])
    secret = {"security": [{"system": PSY, "code": "x"}]}
    await house.encounter("e-psy", "zoe", "IMP", meta=secret)
    await house.observation("o-psy", "zoe", encounter=house.ref("e-psy"))
    for text in (
        "focus.family sw cache",
        "encounter.class eq IMP",
        "encounter[class eq IMP].status pr true",
        "value-string co nothing or encounter.class eq IMP",
    ):
        assert await house.found("Observation", f"_filter={quote(text)}") == "", text
    rest = "alone o-paul o-psy o-zoe said through"
    assert await house.found("Observation", f"_filter={quote('not (encounter.class eq IMP)')}") == rest
    narrow = await territory.session(9, 1)
    narrow = type(narrow)(9, _scopes("user/Observation.rs"), narrow.purpose, "gp", practitioner=1)
    for text in ("encounter.class eq HH", "code pr true or not (encounter.class eq HH)", "encounter[class eq HH].status pr true"):  # fmt: skip
        with pytest.raises(Forbidden, match="Encounter"):
            await territory.search("Observation", f"_filter={quote(text)}", narrow)


def _scopes(text: str) -> Any:
    from liaison.auth.smart.scopes import read_scopes

    return read_scopes(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("code.name co x", "character 1 of the filter: 'code' is not a reference parameter of Observation"),
        ("status eq final and subject.nothing eq x", "character 21 of the filter: No type that 'subject'"),
        ("subject:Patient.nothing eq x", "character 1 of the filter: 'nothing' is not a search parameter of Patient"),
        ("subject:Medication.code eq x", "does not lead to 'Medication'"),
        ("subject:Patient[nothing eq 1].name co x", "^At character 17 of the filter: 'nothing'|'_filter': At character 17 of"),
        ("encounter[class gt 1].status pr true", "character 11 of the filter: 'class' cannot be compared by 'gt'"),
        ("encounter.date gt yesterday", "character 1 of the filter.*not a date"),
        ("subject:Patient ne x", "'subject:Patient' cannot be compared by 'ne'"),
        ("encounter[class eq HH] eq x", "character 23 of the filter"),
        (".".join(["encounter.part-of", *["part-of"] * 3, "class"]) + " eq HH", "at most 4 links"),
        ("focus.focus.code eq 1", "Name the type a link leads to"),
    ],
)  # fmt: skip
async def test_what_means_nothing_is_refused_where_it_stands(territory: Territory, text: str, said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        await territory.search("Observation", "_filter=" + quote(text))


async def test_chains_within_a_filter_are_of_the_budget_of_the_search(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "Budget", lambda: Budget(2))
    with pytest.raises(TooCostly):
        await house.found("Observation", f"_filter={quote('value-string co vital or encounter.class eq HH')}")


async def test_a_chain_that_is_not_told_apart_from_its_negation_would_be_seen(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted fault: an expression that forgets its `not`."""

    def forgetful(way: Any, of: Any) -> Expression:
        return joined("and" if way == "not" else way, of)

    monkeypatch.setattr("liaison.fhir.search.filtering.joined", forgetful)
    found = await house.found("Observation", f"_filter={quote('not (encounter.class eq HH)')}")
    assert found != "alone o-paul said"
