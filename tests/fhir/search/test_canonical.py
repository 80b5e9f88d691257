"""Canonical references (R4 references.html#canonical): chains, _has, _include and _revinclude follow them to definitions."""

from typing import Any

import pytest

from liaison.fhir.store.contract import Change, Key

from .conftest import Territory
from .linked import House

PAIN, FALLS, PLAN = (
    f"https://liaison.test/{one}" for one in ("Questionnaire/pain", "Questionnaire/falls", "plans/home")
)


async def questionnaire(house: House, name: str, url: str, title: str, **more: Any) -> Key:
    tree = {"resourceType": "Questionnaire", "status": "active", "url": url, "title": title, **more}
    return await house.add(name, tree)


async def answered(house: House, name: str, owner: str, canonical: str) -> Key:
    tree = {"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": canonical}
    return await house.add(name, tree, owner)


async def furnished(territory: Territory) -> House:
    """Three versions of one questionnaire, stored in no order, and one without; who has answered which."""
    made = await House.furnished(territory)
    await questionnaire(made, "p10", PAIN, "Douleur dix", version="1.10")
    await questionnaire(made, "p9", PAIN, "Douleur neuf", version="1.9")
    await questionnaire(made, "falls", FALLS, "Chutes")
    await answered(made, "latest", "zoe", PAIN)
    await answered(made, "ninth", "zoe", f"{PAIN}|1.9")
    await answered(made, "fell", "paul", FALLS)
    await answered(made, "lost", "paul", f"{PAIN}|7")
    await made.add(
        "plan",
        {
            "resourceType": "PlanDefinition",
            "status": "active",
            "url": PLAN,
            "title": "À la maison",
            "relatedArtifact": [{"type": "derived-from", "resource": f"{PAIN}|1.9"}],
        },
    )
    care = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "instantiatesCanonical": [PLAN, FALLS]}
    await made.add("care", care, "zoe")
    return made


@pytest.fixture
async def house(territory: Territory) -> House:
    return await furnished(territory)


@pytest.fixture(scope="module")
async def read_house(read_territory: Territory) -> House:
    return await furnished(read_territory)


PARTS = (
    (f"questionnaire={PAIN}|1.9", "ninth part"),
    (f"questionnaire={PAIN}", "latest lost ninth part"),
    (f"questionnaire={PAIN}|1.9%23group-1", "part"),
    (f"questionnaire={PAIN}%23group-1", "part"),
    (f"questionnaire={PAIN}|1.9%23group-2", ""),
    (f"questionnaire={PAIN}|1", ""),
    (f"questionnaire:below={PAIN}|1.9", "ninth part"),
    (f"questionnaire:below={PAIN}|1", "ninth part"),
    (f"questionnaire:below={PAIN}|1%23group-1", "part"),
    (f"questionnaire={FALLS}", "fell part-too"),
    (f"questionnaire={FALLS}%23group-1", "part-too"),
    ("questionnaire.title=douleur neuf", "ninth part"),
    ("questionnaire.title=chutes", "fell part-too"),
    (f"_filter=questionnaire eq {PAIN}|1.9", "ninth part"),
    (f"_filter=questionnaire re {PAIN}|1.9", "ninth part"),
)


async def test_a_fragment_names_a_part_of_what_the_canonical_names(house: House) -> None:
    """R4 datatypes.html#canonical: url, version and fragment; what is asked without a fragment is met by any."""
    await answered(house, "part", "zoe", f"{PAIN}|1.9#group-1")
    await answered(house, "part-too", "zoe", f"{FALLS}#group-1")

    assert {query: await house.found("QuestionnaireResponse", query) for query, _ in PARTS} == dict(PARTS)


async def test_what_names_a_part_refers_to_the_definition(house: House) -> None:
    await answered(house, "part", "zoe", f"{PAIN}|1.9#group-1")

    assert await included(house, "Questionnaire", "version=1.9&_revinclude=QuestionnaireResponse:questionnaire") == (
        "ninth part"
    )
    asked = f"questionnaire={PAIN}|1.9%23group-1&_include=QuestionnaireResponse:questionnaire"
    assert await included(house, "QuestionnaireResponse", asked) == "p9"


async def included(house: House, type_: str, query: str, **more: Any) -> str:
    names = {house.territory.id(key): name for name, key in house.names.items()}
    found = await house.territory.search(type_, query, **more)
    return " ".join(sorted(names[one] for one in found.included))


CHAINS = (
    ("QuestionnaireResponse", "questionnaire.title=douleur", "latest ninth"),
    ("QuestionnaireResponse", "questionnaire:Questionnaire.title=douleur dix", "latest"),
    ("QuestionnaireResponse", "questionnaire.version=1.9", "ninth"),
    ("QuestionnaireResponse", "questionnaire.title=chutes", "fell"),
    ("QuestionnaireResponse", "questionnaire.status=active&patient={paul}", "fell"),
    ("CarePlan", "instantiates-canonical:PlanDefinition.derived-from:Questionnaire.version=1.9", "care"),
    ("CarePlan", "instantiates-canonical:PlanDefinition.derived-from:Questionnaire.version=1.10", ""),
    ("PlanDefinition", "derived-from:Questionnaire.title=douleur", "plan"),
    ("CarePlan", "instantiates-canonical.title=maison", ""),
    ("CarePlan", "instantiates-canonical:PlanDefinition.title=a la maison", "care"),
    ("CarePlan", "instantiates-canonical:Questionnaire.title=chutes", "care"),
    ("Questionnaire", "_has:QuestionnaireResponse:questionnaire:status=completed", "falls p10 p9"),
    ("Questionnaire", "_has:QuestionnaireResponse:questionnaire:patient={paul}", "falls"),
    ("Questionnaire", "_has:PlanDefinition:derived-from:status=active", "p9"),
    ("PlanDefinition", "_has:CarePlan:instantiates-canonical:status=active", "plan"),
    ("Questionnaire", "_filter=title co neuf", "p9"),
    ("QuestionnaireResponse", "_filter=questionnaire.title co neuf", "ninth"),
)


@pytest.mark.parametrize(("type_", "query", "expected"), CHAINS, ids=[f"{type_}?{query}" for type_, query, _ in CHAINS])
async def test_chains_follow_canonicals(read_house: House, type_: str, query: str, expected: str) -> None:
    assert await read_house.found(type_, query) == expected


INCLUDES = (
    ("QuestionnaireResponse", "_include=QuestionnaireResponse:questionnaire", "falls p10 p9"),
    ("QuestionnaireResponse", "_include=QuestionnaireResponse:questionnaire:Questionnaire", "falls p10 p9"),
    ("QuestionnaireResponse", "_include=QuestionnaireResponse:*", "falls p10 p9 paul zoe"),
    ("QuestionnaireResponse", f"questionnaire={PAIN}|1.9&_include=QuestionnaireResponse:questionnaire", "p9"),
    ("CarePlan", "_include=CarePlan:instantiates-canonical", "falls plan"),
    ("CarePlan", "_include=CarePlan:instantiates-canonical:Questionnaire", "falls"),
    (
        "CarePlan",
        "_include=CarePlan:instantiates-canonical&_include:iterate=PlanDefinition:derived-from",
        "falls p9 plan",
    ),
    ("Questionnaire", "_revinclude=QuestionnaireResponse:questionnaire", "fell latest ninth"),
    ("Questionnaire", "version=1.10&_revinclude=QuestionnaireResponse:questionnaire", "latest"),
    ("Questionnaire", "version=1.9&_revinclude=QuestionnaireResponse:questionnaire", "ninth"),
    ("Questionnaire", "version=1.9&_revinclude=PlanDefinition:derived-from", "plan"),
    ("Questionnaire", "version=1.9&_revinclude=*", "ninth plan"),
    ("PlanDefinition", "_revinclude=CarePlan:instantiates-canonical", "care"),
    ("PlanDefinition", "_revinclude=CarePlan:instantiates-canonical:Questionnaire", ""),
)


@pytest.mark.parametrize(
    ("type_", "query", "expected"), INCLUDES, ids=[f"{type_}?{query}" for type_, query, _ in INCLUDES]
)
async def test_includes_follow_canonicals(read_house: House, type_: str, query: str, expected: str) -> None:
    assert await included(read_house, type_, query) == expected


async def test_a_newer_version_takes_over_and_gives_back(house: House, territory: Territory) -> None:
    newer = await questionnaire(house, "p11", PAIN, "Douleur onze", version="1.11")
    include = "questionnaire=https://liaison.test/Questionnaire/pain&_include=QuestionnaireResponse:questionnaire"
    assert await included(house, "QuestionnaireResponse", include) == "p11 p9"
    assert await house.found("QuestionnaireResponse", "questionnaire.title=douleur onze") == "latest"
    assert await house.found("QuestionnaireResponse", "questionnaire.title=douleur dix") == ""
    assert await included(house, "Questionnaire", "version=1.10&_revinclude=QuestionnaireResponse:questionnaire") == ""

    await territory.delete(newer, 2)
    assert await included(house, "QuestionnaireResponse", include) == "p10 p9"
    assert await house.found("QuestionnaireResponse", "questionnaire.title=douleur dix") == "latest"


async def test_of_two_of_one_version_the_last_written_counts(house: House, territory: Territory) -> None:
    await questionnaire(house, "again", FALLS, "Chutes encore")
    assert await house.found("QuestionnaireResponse", "questionnaire.title=chutes encore") == "fell"
    tree = {"resourceType": "Questionnaire", "status": "active", "url": FALLS, "title": "Chutes"}
    change: Change = territory.change(tree, house.names["falls"], version=2)
    known = await territory.store.read(territory.caller, house.names["falls"])
    assert known is not None
    change.before_row = known.row
    await territory.write(change)
    assert await house.found("QuestionnaireResponse", "questionnaire.title=chutes encore") == ""
    assert await house.found("QuestionnaireResponse", "questionnaire.title:exact=Chutes") == "fell"


async def test_what_the_scopes_leave_out_is_no_version(house: House, territory: Territory) -> None:
    """The latest of what may be searched is the latest."""
    narrow = await territory.session(2, 1, "user/QuestionnaireResponse.rs user/Questionnaire.rs?version=1.9")
    query = "_include=QuestionnaireResponse:questionnaire"
    assert await included(house, "QuestionnaireResponse", query, caller=narrow) == "p9"
    assert await house.found("QuestionnaireResponse", "questionnaire.status=active", caller=narrow) == "latest ninth"
    none = await territory.session(3, 1, "user/QuestionnaireResponse.rs")
    assert await included(house, "QuestionnaireResponse", query, caller=none) == ""


async def test_an_answer_that_may_not_be_seen_is_not_found_through_what_it_answers(house: House) -> None:
    await house.patient("eve", seen=False)
    await answered(house, "secret", "eve", FALLS)
    assert await house.found("QuestionnaireResponse", "questionnaire.title=chutes") == "fell"
    assert (
        await included(house, "Questionnaire", "_revinclude=QuestionnaireResponse:questionnaire") == "fell latest ninth"
    )
