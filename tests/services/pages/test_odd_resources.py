"""Whatever FHIR lets other software store can be put into words, in every way that pages put it."""

from datetime import UTC, date, datetime

import pytest

from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.protocols.alerts import standing
from liaison.protocols.calendar import calendar
from liaison.services.pages.clinician.alerts import told
from liaison.services.pages.clinician.news import is_new, told_once
from liaison.services.pages.clinician.observations import grouped
from liaison.services.pages.layout import environment

from ..odd_resources import BARE, KINDS, NOBODY, UNSAID, of

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
SAID = (
    "{{ tree | sentence }}{{ tree | kind }}{{ tree | author }}{{ tree | value }}{{ tree | when }}{{ tree | late }}"
    "{% if tree | happened %}{{ tree | happened | moment }}{{ tree | happened | clock }}{{ tree | happened | iso_day }}"
    "{{ tree | happened | on_day }}{{ tree | happened | last_day }}{% endif %}"
)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_odd_resource_is_put_into_words(kind: str, language: str) -> None:
    received = {"id": "x", "meta": {"versionId": "1", "lastUpdated": "2026-11-29T08:00:00Z"}}
    trees = [{**of("p", tree), **received} for tree in KINDS[kind]()]
    page = environment(language).from_string(SAID)

    said = [page.render(tree=tree) for tree in trees]

    assert [one for one in said if "None" in one or "{&#39;" in one] == []
    assert len(told_once(trees)) == len(trees)
    assert len([is_new(tree, None, NOW) for tree in trees]) == len(trees)
    grouped([tree for tree in trees if tree["resourceType"] == "Observation"])
    tasks = [tree for tree in trees if tree["resourceType"] == "Task"]
    assert len(calendar(tasks, date(2026, 11, 29))) == len(tasks)
    assert all(told(task, NOW).id and standing(task, NOW) for task in tasks)


SHAPES: list[dict[str, object]] = [
    {},
    {
        "code": BARE,
        "category": [UNSAID],
        "type": [BARE],
        "status": "unknown",
        "author": [NOBODY],
        "performer": [UNSAID],
    },
    {
        "participant": [UNSAID, {"individual": NOBODY}],
        "period": UNSAID,
        "meta": {"lastUpdated": "2026-11-29T08:00:00Z"},
    },
    {"contained": [{"resourceType": "Basic", "id": "x"}], "text": {"status": "empty", "div": "x"}, "date": "0001"},
]


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_every_type_is_put_into_words_however_little_it_says(type_: str) -> None:
    page = environment("fr").from_string("{{ tree | sentence }}{{ tree | author }}{{ tree | when }} {{ tree | kind }}")

    for shape in SHAPES:
        assert page.render(tree={"resourceType": type_, **shape}).strip()
