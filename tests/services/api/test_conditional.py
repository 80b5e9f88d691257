"""Conditional writes over HTTP (R4 http.html#ccreate, #cond-update, #cdelete), alone and in Bundles."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.http

Weight = Callable[..., bytes]

ABSENT = "0123456789abcdef0123456789abcdef"


class Marked:
    """An identifier of a test's own, the criteria that find it, and bodies that carry it."""

    def __init__(self, weight: Weight, patient: str) -> None:
        self.value = str(uuid.uuid4())
        self.criteria = f"identifier=urn:test|{self.value}"
        self._weight, self._patient = weight, patient

    def body(self, value: str = "70", **more: Any) -> bytes:
        return self._weight(self._patient, value, identifier=[{"system": "urn:test", "value": self.value}], **more)

    def tree(self, **more: Any) -> Any:
        return json.loads(self.body(**more))


@pytest.fixture
def marked(weight: Weight, patient: str) -> Marked:
    return Marked(weight, patient)


def bundle(client: httpx.Client, type_: str, *entries: dict[str, Any]) -> httpx.Response:
    return client.post("/", json={"resourceType": "Bundle", "type": type_, "entry": entries})


def entry(method: str, url: str, resource: Any = None, **request: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    return found if resource is None else {"resource": resource, **found}


def statuses(answer: httpx.Response) -> list[str]:
    if answer.status_code != 200:
        return [str(answer.status_code)]
    return [one["response"]["status"][:3] for one in answer.json()["entry"]]


WAYS = [
    pytest.param(
        lambda c, m: c.post("/Observation", content=m.body(), headers={"if-none-exist": m.criteria}), id="POST"
    ),
    pytest.param(
        lambda c, m: bundle(c, "batch", entry("POST", "Observation", m.tree(), ifNoneExist=m.criteria)), id="batch POST"
    ),
    pytest.param(
        lambda c, m: bundle(c, "transaction", entry("POST", "Observation", m.tree(), ifNoneExist=m.criteria)),
        id="transaction POST",
    ),
    pytest.param(lambda c, m: c.put(f"/Observation?{m.criteria}", content=m.body()), id="PUT"),
    pytest.param(lambda c, m: bundle(c, "batch", entry("PUT", f"Observation?{m.criteria}", m.tree())), id="batch PUT"),
    pytest.param(
        lambda c, m: bundle(c, "transaction", entry("PUT", f"Observation?{m.criteria}", m.tree())),
        id="transaction PUT",
    ),
]


@pytest.mark.parametrize("ask", WAYS)
def test_none_one_many(gp: httpx.Client, marked: Marked, ask: Callable[[httpx.Client, Marked], httpx.Response]) -> None:
    def status(answer: httpx.Response) -> str:
        return statuses(answer)[0] if answer.json()["resourceType"] == "Bundle" else str(answer.status_code)

    none, one = status(ask(gp, marked)), status(ask(gp, marked))
    gp.post("/Observation", content=marked.body())
    several = status(ask(gp, marked))

    assert [none, one, several] == ["201", "200", "412"]
    count = gp.get(f"/Observation?{marked.criteria}&_summary=count").json()["total"]
    assert count == 2


def test_a_conditional_update_and_the_id_of_its_body(gp: httpx.Client, marked: Marked) -> None:
    url = f"/Observation?{marked.criteria}"

    nothing = gp.put(url, content=marked.body(id="mine"))
    made = gp.put(url, content=marked.body())
    right = gp.put(url, content=marked.body("71", id=made.json()["id"]))
    wrong = gp.put(url, content=marked.body("72", id=ABSENT))

    assert [nothing.status_code, made.status_code, right.status_code, wrong.status_code] == [400, 201, 200, 400]
    assert "ids are made by the server" in nothing.json()["issue"][0]["diagnostics"]
    assert wrong.json()["issue"][0]["expression"] == ["id"]


def test_if_match_of_a_conditional_update_needs_a_match(gp: httpx.Client, marked: Marked) -> None:
    url = f"/Observation?{marked.criteria}"

    none = gp.put(url, content=marked.body(), headers={"if-match": 'W/"1"'})
    made = gp.put(url, content=marked.body())
    stale = gp.put(url, content=marked.body(), headers={"if-match": 'W/"2"'})
    right = gp.put(url, content=marked.body(), headers={"if-match": 'W/"1"'})

    assert [none.status_code, made.status_code, stale.status_code, right.status_code] == [412, 201, 412, 200]


def test_if_none_match_of_a_write_asks_that_there_is_nothing(gp: httpx.Client, marked: Marked) -> None:
    url, any_ = f"/Observation?{marked.criteria}", {"if-none-match": "*"}

    first = gp.put(url, content=marked.body(), headers=any_)
    second = gp.put(url, content=marked.body(), headers=any_)
    id_ = first.json()["id"]
    by_id = gp.put(f"/Observation/{id_}", content=marked.body(id=id_), headers=any_)
    other_version = gp.put(f"/Observation/{id_}", content=marked.body(id=id_), headers={"if-none-match": 'W/"9"'})
    absent = gp.put(f"/Observation/{ABSENT}", content=marked.body(id=ABSENT), headers=any_)
    deleted = gp.delete(f"/Observation/{id_}", headers=any_)

    answers = (first, second, by_id, other_version, absent, deleted)
    assert [one.status_code for one in answers] == [201, 412, 412, 200, 404, 412]


@pytest.mark.parametrize("way", ["alone", "batch", "transaction"])
def test_a_conditional_delete_deletes_the_one_match(gp: httpx.Client, marked: Marked, way: str) -> None:
    def delete() -> str:
        if way == "alone":
            return str(gp.delete(f"/Observation?{marked.criteria}").status_code)
        return statuses(bundle(gp, way, entry("DELETE", f"Observation?{marked.criteria}")))[0]

    none = delete()
    id_ = gp.post("/Observation", content=marked.body()).json()["id"]
    one, read = delete(), gp.get(f"/Observation/{id_}").status_code
    gp.post("/Observation", content=marked.body())
    gp.post("/Observation", content=marked.body())
    several = delete()

    assert [none, one, several] == ["204", "204", "412"]
    assert read == 410
    assert gp.get(f"/Observation?{marked.criteria}&_summary=count").json()["total"] == 2


def test_a_delete_answers_as_preferred(gp: httpx.Client, marked: Marked) -> None:
    id_ = gp.post("/Observation", content=marked.body()).json()["id"]

    answer = gp.delete(f"/Observation/{id_}", headers={"prefer": "return=OperationOutcome"})

    assert answer.status_code == 200
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("query", ["", "?", "?_count=1", "?_sort=date", "?colour=red", "?_include=Observation:subject"])
def test_criteria_are_needed_and_only_criteria_are_taken(
    gp: httpx.Client, marked: Marked, method: str, query: str
) -> None:
    """An unknown parameter that widens a conditional delete would be the worst of silent mistakes."""
    headers = {"content-type": "application/json-patch+json"} if method == "PATCH" else {}
    body = {"PUT": marked.body(), "PATCH": b"[]"}.get(method)

    answer = gp.request(method, f"/Observation{query}", content=body, headers=headers)

    assert answer.status_code == 400, answer.text


def test_a_resource_comes_once_by_whatever_names_it(gp: httpx.Client, marked: Marked) -> None:
    id_ = gp.post("/Observation", content=marked.body()).json()["id"]
    by_id = entry("DELETE", f"Observation/{id_}")
    by_criteria = entry("PUT", f"Observation?{marked.criteria}", marked.tree())
    found = entry("POST", "Observation", marked.tree(), ifNoneExist=marked.criteria)
    other = entry("POST", "Observation", marked.tree(), ifNoneExist=f"{marked.criteria}&status=final")

    for pair in ([by_id, by_criteria], [by_criteria, found], [found, found], [found, other]):
        answer = bundle(gp, "transaction", *pair)
        assert answer.status_code == 400, answer.text
        diagnostics = answer.json()["issue"][0]["diagnostics"]
        assert "about the same resource" in diagnostics
        assert all(f"Bundle.entry[{number}]" in diagnostics for number in (0, 1))
    assert gp.get(f"/Observation/{id_}").status_code == 200


def test_two_equal_conditional_creates_of_one_transaction_never_make_two(gp: httpx.Client, marked: Marked) -> None:
    """hfs#511, and what becomes of it when nothing is there yet."""
    once = entry("POST", "Observation", marked.tree(), ifNoneExist=marked.criteria)

    answer = bundle(gp, "transaction", once, once)

    assert answer.status_code == 400
    assert gp.get(f"/Observation?{marked.criteria}&_summary=count").json()["total"] == 0


def test_what_others_have_matches_nothing(gp: httpx.Client, outside: httpx.Client, marked: Marked) -> None:
    """hapi-fhir#5712, hapi-fhir#3048: conditional URLs are narrowed to what the caller sees, in each of their forms."""
    nobody = Marked(marked._weight, marked._patient)

    def answers(one: Marked) -> list[Any]:
        found = [
            outside.post("/Observation", content=one.body(), headers={"if-none-exist": one.criteria}),
            outside.put(f"/Observation?{one.criteria}", content=one.body()),
            outside.put(f"/Observation?{one.criteria}", content=one.body(), headers={"if-match": 'W/"1"'}),
            outside.put(f"/Observation?{one.criteria}", content=one.body(), headers={"if-none-match": "*"}),
            outside.put(f"/Observation?{one.criteria}", content=one.body(id=ABSENT)),
            outside.delete(f"/Observation?{one.criteria}"),
            outside.delete(f"/Observation?{one.criteria}", headers={"if-match": 'W/"1"'}),
        ]
        for type_ in ("batch", "transaction"):
            for part in (
                entry("POST", "Observation", one.tree(), ifNoneExist=one.criteria),
                entry("PUT", f"Observation?{one.criteria}", one.tree()),
                entry("DELETE", f"Observation?{one.criteria}"),
            ):
                found.append(bundle(outside, type_, part))
        return [(answer.status_code, answer.text.replace(one.value, "VALUE")) for answer in found]

    hidden = gp.post("/Observation", content=marked.body())
    assert hidden.status_code == 201
    gp.post("/Observation", content=marked.body())  # several, even

    assert answers(marked) == answers(nobody)
    assert gp.get(f"/Observation?{marked.criteria}&_summary=count").json()["total"] == 2


def test_an_update_that_changes_nothing_is_a_version_like_any_other(gp: httpx.Client, marked: Marked) -> None:
    """blaze#3710: its time is that of the version, everywhere."""
    made = gp.post("/Observation", content=marked.body()).json()

    again = gp.put(f"/Observation/{made['id']}", json=made)

    assert again.json()["meta"]["versionId"] == "2"
    read = gp.get(f"/Observation/{made['id']}")
    assert read.content == again.content
    since = again.json()["meta"]["lastUpdated"]
    found = gp.get(f"/Observation?{marked.criteria}&_lastUpdated=ge{since}").json()
    assert [one["resource"]["meta"]["versionId"] for one in found["entry"]] == ["2"]


SPELLINGS = [
    pytest.param("code=urn:test|{v}&patient={p}", "patient={p}&code=urn:test|{v}", id="order"),
    pytest.param("code=urn:test|{v}&patient={p}", "code=urn:test|{v}&subject=Patient/{p}", id="patient and subject"),
    pytest.param("code=urn:test|{v}&patient={p}", "code=urn:test%7C{v}&patient=Patient/{p}", id="encoding and type"),
    pytest.param("code=urn:test|{v}&patient={p}", "code=urn:test|{v}", id="weaker"),
    pytest.param("code=urn:test|{v}", "code={v}", id="without a system"),
    pytest.param(
        "code=urn:test|{v}&patient.active:missing=true", "patient.active:missing=true&code=urn:test|{v}", id="chained"
    ),
]
FORMS = [
    pytest.param(lambda tree, asked: entry("POST", "Observation", tree, ifNoneExist=asked), id="create"),
    pytest.param(lambda tree, asked: entry("PUT", f"Observation?{asked}", tree), id="update"),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_one_identity_spelled_in_two_ways_is_refused_in_a_transaction(
    gp: httpx.Client, marked: Marked, patient: str, one: str, other: str, form: Callable[[Any, str], Any]
) -> None:
    """R4 http.html#trules: identities overlap, however they are spelled."""
    tree = marked.tree(code={"coding": [{"system": "urn:test", "code": marked.value}]})
    del tree["identifier"]
    entries = [form(tree, spelled.format(v=marked.value, p=patient)) for spelled in (one, other)]

    answer = bundle(gp, "transaction", *entries)

    assert answer.status_code == 400, answer.text
    assert "Bundle.entry[" in answer.json()["issue"][0]["diagnostics"]
    assert gp.get(f"/Observation?code=urn:test|{marked.value}&_summary=count").json()["total"] == 0


@pytest.mark.parametrize("form", FORMS)
def test_criteria_that_match_what_another_entry_makes_are_refused(
    gp: httpx.Client, marked: Marked, patient: str, form: Callable[[Any, str], Any]
) -> None:
    tree = marked.tree(code={"coding": [{"system": "urn:test", "code": marked.value}]})
    del tree["identifier"]
    asked = form(tree, f"code=urn:test|{marked.value}&patient={patient}")
    elsewhere = {**tree, "code": {"coding": [{"system": "urn:test", "code": f"{marked.value}-2"}]}}
    stored = gp.post("/Observation", json=elsewhere).json()
    plain = entry("POST", "Observation", tree)
    moved = entry("PUT", f"Observation/{stored['id']}", {**tree, "id": stored["id"]})

    for another in (plain, moved):
        for entries in ([asked, another], [another, asked]):
            answer = bundle(gp, "transaction", *entries)
            assert answer.status_code == 400, answer.text
    assert gp.get(f"/Observation?code=urn:test|{marked.value}&_summary=count").json()["total"] == 0
    assert statuses(bundle(gp, "transaction", asked, entry("POST", "Observation", elsewhere))) == ["201", "201"]


def test_one_person_spelled_in_two_ways_is_refused_in_a_transaction(gp: httpx.Client, marked: Marked) -> None:
    person = {"resourceType": "Patient", "name": [{"family": marked.value}], "birthDate": "1950-02-03"}
    spelled = (f"family={marked.value}&birthdate=1950-02-03", f"birthdate=1950-02-03&family={marked.value}")

    answer = bundle(gp, "transaction", *[entry("POST", "Patient", person, ifNoneExist=asked) for asked in spelled])

    assert answer.status_code == 400, answer.text
