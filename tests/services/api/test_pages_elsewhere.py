"""What users of other servers reported of pages and includes, tried here: each test names the reports that it answers."""

import uuid
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest

pytestmark = pytest.mark.http

SYSTEM = "urn:pages"


class Record(NamedTuple):
    """A patient with seven weights, each by a professional; one weight is derived from one of a stranger's."""

    patient: str
    nurse: str
    weights: tuple[str, ...]
    stranger: str
    hidden: str


@pytest.fixture(scope="module")
def record(service: Any, weight: Callable[..., bytes]) -> Record:
    patient, stranger = service.patient(), service.patient("nurse")
    nurse = service.people["nurse"].practitioner
    with service.client("nurse") as client:
        [hidden] = _weights(client, weight, [{"identifier": [{"system": SYSTEM, "value": "hidden"}]}], stranger)
        each: list[dict[str, Any]] = [{"contained": [CONTAINED], "specimen": {"reference": "#s"}} for _ in range(6)]
        each.append({"derivedFrom": [{"reference": f"Observation/{hidden}"}], "meta": {"source": "urn:pages:mine"}})
        performer = [{"reference": nurse}]
        weights = _weights(client, weight, [{**one, "performer": performer} for one in each], patient)
    return Record(patient, nurse, tuple(weights), stranger, hidden)


CONTAINED = {"resourceType": "Specimen", "id": "s"}


def _weights(client: httpx.Client, weight: Callable[..., bytes], each: list[dict[str, Any]], patient: str) -> list[str]:
    found = []
    for one in each:
        answer = client.post("/Observation", content=weight(patient, **one))
        assert answer.status_code == 201, answer.text
        found.append(answer.json()["id"])
    return found


def page(client: httpx.Client, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(bundle: Any, mode: str = "match") -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == mode]


def link(bundle: Any, relation: str) -> str | None:
    """A link of the page, as a path of the client's own base."""
    found = [one["url"] for one in bundle["link"] if one["relation"] == relation]
    return str(found[0]).partition("/fhir")[2] if found else None


def walked(client: httpx.Client, address: str, relation: str = "next") -> list[Any]:
    """The pages from an address on."""
    pages = [page(client, address)]
    while following := link(pages[-1], relation):
        pages.append(page(client, following))
    return pages


def test_each_page_holds_so_many_matches_and_what_they_refer_to(gp: httpx.Client, record: Record) -> None:
    """LFH#346, blaze#397: what was included counted as matches. hapi-fhir#116: further pages included nothing.
    hapi-fhir#7081, MS#1102: with `_include` there was no next page, or the same one again."""
    asked = f"/Observation?patient={record.patient}&_count=3"
    pages = walked(gp, f"{asked}&_include=Observation:performer&_include=*")

    assert [len(ids(one)) for one in pages] == [3, 3, 1]
    assert [ids(one) for one in pages] == [ids(one) for one in walked(gp, asked)]
    for one in pages:
        assert set(ids(one, "include")) == {record.patient, record.nurse.partition("/")[2]}


@pytest.mark.parametrize("sort", ["", "&_sort=-date", "&_sort=status,-_lastUpdated"])
def test_a_total_changes_no_page(gp: httpx.Client, record: Record, sort: str) -> None:
    """hapi-fhir#5454: with `_total` the first page left matches out."""
    asked = f"/Observation?patient={record.patient}&_count=2{sort}"
    told = walked(gp, f"{asked}&_total=accurate")

    assert [ids(one) for one in told] == [ids(one) for one in walked(gp, asked)]
    assert {one["total"] for one in told} == {len(record.weights)}


def test_the_page_before_is_the_page_that_was_there(gp: httpx.Client, record: Record) -> None:
    """hapi-fhir#20: going back, contained resources stood beside those that contain them. blaze#3636: one could not go
    back at all."""
    there = walked(gp, f"/Observation?patient={record.patient}&_count=3&_include=Observation:performer")
    back = [there[-1]]
    while before := link(back[-1], "previous"):
        back.append(page(gp, before))

    assert [one["entry"] for one in back] == [one["entry"] for one in reversed(there)]
    matches = [entry["resource"] for one in back for entry in one["entry"] if entry["search"]["mode"] == "match"]
    assert [one["contained"] for one in matches if "specimen" in one] == [[CONTAINED]] * 6


def test_pages_of_ids_and_of_several_values_are_whole(gp: httpx.Client, record: Record) -> None:
    """blaze#2953: the second page of `_id=…` held one resource and was the last. blaze#324: with several values some came
    twice."""
    for asked in (
        f"_id={','.join(record.weights)}",
        f"patient={record.patient}&code=29463-7,http://loinc.org|29463-7,x",
    ):
        pages = walked(gp, f"/Observation?{asked}&_count=3")
        assert [len(ids(one)) for one in pages] == [3, 3, 1], asked
        assert {id_ for one in pages for id_ in ids(one)} == set(record.weights)


def test_a_deletion_moves_no_page(service: Any, gp: httpx.Client, weight: Callable[..., bytes]) -> None:
    """hapi-fhir#3608, LFH#3590: offsets shifted with what was written or deleted between two pages."""
    patient = service.patient()
    for sort in ("", "&_sort=code,_lastUpdated"):
        made = _weights(gp, weight, [{}] * 6, patient)
        asked = f"/Observation?_id={','.join(made)}&_count=2{sort}"
        whole = [ids(one) for one in walked(gp, asked)]
        first = page(gp, asked)
        for id_ in (whole[0][0], whole[2][1]):
            assert gp.delete(f"/Observation/{id_}").status_code == 204
        _weights(gp, weight, [{}], patient)
        assert [ids(first), *(ids(one) for one in walked(gp, link(first, "next") or ""))] == whole, sort


@pytest.mark.parametrize("relation", ["next", "previous", "first"])
def test_a_link_to_a_page_is_of_use_to_nobody_else(
    service: Any, gp: httpx.Client, outside: httpx.Client, record: Record, relation: str
) -> None:
    """hapi-fhir#3357, hapi-fhir#7888: whoever had the id of a search read its pages, in another tenant too."""
    second = walked(gp, f"/Observation?patient={record.patient}&_count=2")[1]
    address = link(second, relation)
    assert address is not None
    assert ids(page(gp, address))
    with service.client("nurse") as colleague:
        for client in (outside, colleague):
            assert client.get(address).status_code == 410
    for other in (address.replace("/Observation?", "/Condition?"), address.replace("/Observation?", "/?")):
        assert gp.get(other).status_code == 410, other


def test_the_same_search_is_answered_to_each_for_themselves(
    service: Any, gp: httpx.Client, outside: httpx.Client, record: Record
) -> None:
    """hapi-fhir#5184: a search that was kept for one tenant answered another. hapi-fhir#2207, hapi-fhir#2853: `_id` and
    `_source` found what another tenant has. hapi-fhir#1507, hapi-fhir#2012, hapi-fhir#3418: totals counted it."""
    for asked in (
        f"_id={record.weights[6]}",
        f"_source=urn:pages:mine&patient={record.patient}",
        f"patient={record.patient}",
    ):
        assert record.weights[6] in ids(page(gp, f"/Observation?{asked}"))
        assert_nothing(outside, asked)
    with service.client("nurse") as nurse:
        assert ids(page(nurse, f"/Observation?derived-from={record.hidden}")) == [record.weights[6]]
    for client in (gp, outside):  # what is derived from somebody else's is not told to who does not see it
        assert_nothing(client, f"derived-from={record.hidden}")


def assert_nothing(client: httpx.Client, asked: str) -> None:
    for more in ("", "&_total=accurate", "&_summary=count", "&_count=0", "&_sort=code", "&_revinclude=*"):
        bundle = page(client, f"/Observation?{asked}{more}")
        assert (ids(bundle), bundle["total"]) == ([], 0), asked + more


def test_includes_stay_within_what_the_caller_may_see(gp: httpx.Client, record: Record) -> None:
    """MS#5683, MS#2934: `_include` and `_revinclude` left the compartment, wildcards and `:iterate` too."""
    mine = f"/Observation?_id={record.weights[6]}"
    for asked in (
        f"{mine}&_include=Observation:derived-from",
        f"{mine}&_include=*&_include:iterate=*",
        f"{mine}&_include:iterate=*&_revinclude:iterate=*",
        f"/Practitioner?_id={record.nurse.partition('/')[2]}&_revinclude=Observation:performer",
    ):
        bundle = page(gp, asked)
        shown = {*ids(bundle), *ids(bundle, "include")}
        assert record.weights[6] in shown, asked
        assert shown.isdisjoint({record.hidden, record.stranger}), asked


def test_includes_stay_within_the_scopes(service: Any, record: Record) -> None:
    """MS#5158, MS#5224: with SMART scopes, `_include` showed types that none of them names."""
    with service.client("gp", "user/Observation.rs") as client:
        bundle = page(client, f"/Observation?patient={record.patient}&_include=*&_revinclude=*&_include:iterate=*")
    assert (len(ids(bundle)), ids(bundle, "include")) == (len(record.weights), [])


def test_a_compartment_takes_includes_and_no_unknown_parameter(gp: httpx.Client, record: Record) -> None:
    """MS#2826: `_include` in a compartment was a 500. hfs#1263: what it did not know was left out there in silence."""
    compartment = f"/Patient/{record.patient}"
    bundle = page(gp, f"{compartment}/Observation?_include=Observation:performer:Practitioner")
    assert (len(ids(bundle)), ids(bundle, "include")) == (len(record.weights), [record.nurse.partition("/")[2]])
    for path in ("Observation", "*"):
        assert gp.get(f"{compartment}/{path}?no-such-parameter=x").status_code == 400
        lenient = gp.get(f"{compartment}/{path}?no-such-parameter=x", headers={"prefer": "handling=lenient"}).json()
        assert "no-such-parameter" in str(lenient["entry"][-1]["resource"]["issue"])
        assert "no-such-parameter" not in str(lenient["link"])


def test_a_mark_that_nothing_carries_finds_nothing(gp: httpx.Client, record: Record) -> None:
    """hfs#474: `_tag`, `_profile` and `_security` were left out, and the self link said that they had been applied."""
    for name in ("_tag", "_profile", "_security", "_source"):
        asked = f"/Observation?patient={record.patient}&{name}=http://example.org/{uuid.uuid4().hex}"
        assert page(gp, f"{asked}&_total=accurate")["total"] == 0, name


def test_a_match_that_is_referred_to_often_comes_once(
    service: Any, gp: httpx.Client, weight: Callable[..., bytes]
) -> None:
    """hapi-fhir#4190: a row for each reference made short pages, repeated matches and a wrong total. MS "Pagination bug"
    of 8-2024 (MS#2024-08): what was deleted was counted by `_has`."""
    patient = service.patient()
    stays = []
    for _ in range(4):
        stay = {"resourceType": "Encounter", "status": "finished", "class": {"code": "HH"}}
        answer = gp.post("/Encounter", json={**stay, "subject": {"reference": f"Patient/{patient}"}})
        assert answer.status_code == 201, answer.text
        stays.append(answer.json()["id"])
        for _ in range(4):
            _weights(gp, weight, [{"encounter": {"reference": f"Encounter/{stays[-1]}"}}], patient)
    assert gp.delete(f"/Encounter/{stays.pop()}").status_code == 204

    asked = f"/Encounter?_has:Observation:encounter:code=29463-7&patient={patient}"
    for more in ("", "&_sort=-date", "&_sort=_lastUpdated"):
        pages = walked(gp, f"{asked}&_count=2&_total=accurate{more}")
        assert [len(ids(one)) for one in pages] == [2, 1]
        assert {id_ for one in pages for id_ in ids(one)} == set(stays)
        assert {one["total"] for one in pages} == {3}
    assert page(gp, f"{asked}&_summary=count")["total"] == 3


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("sort", ["-date", "date"])
def test_what_is_included_counts_in_no_page_of_a_sort(gp: httpx.Client, record: Record, sort: str, count: int) -> None:
    """MS "Pagination bug" of 8-2024 (MS#2024-08): with `_include`, a descending sort and the right `_count`, matches were
    missing, the total too small and the next link absent."""
    asked = f"/Observation?patient={record.patient}&_sort={sort}&_count={count}&_total=accurate"
    pages = walked(gp, f"{asked}&_include=Observation:performer&_include=Observation:patient")

    found = [id_ for one in pages for id_ in ids(one)]
    assert (len(found), set(found)) == (len(record.weights), set(record.weights))
    assert {one["total"] for one in pages} == {len(record.weights)}
    assert all(len(ids(one)) == count for one in pages[:-1])


def test_a_patient_who_does_not_exist_ends_no_pages(
    service: Any, gp: httpx.Client, record: Record, weight: Callable[..., bytes]
) -> None:
    """blaze#3601: among several patients, one that did not exist broke the pages."""
    other = service.patient()
    more = _weights(gp, weight, [{}] * 3, other)
    for missing in (uuid.uuid4().hex, record.stranger, "x"):
        for named in (f"{missing},{record.patient},{other}", f"{record.patient},{missing},{other}"):
            pages = walked(gp, f"/Observation?patient={named}&code=29463-7&_count=4")
            found = [id_ for one in pages for id_ in ids(one)]
            assert (len(found), set(found)) == (10, {*record.weights, *more}), named


def test_a_page_is_there_however_old_and_a_dead_one_says_so(gp: httpx.Client, record: Record) -> None:
    """blaze#2719: a link led to a page of another search, or to one that was no longer there, without a word."""
    first = page(gp, f"/Observation?patient={record.patient}&_count=2")
    following = link(first, "next") or ""
    whole = page(gp, following)
    for _ in range(3):
        page(gp, f"/Observation?patient={record.patient}&_count=2&code=29463-7")
    assert page(gp, following)["entry"] == whole["entry"]
    answer = gp.get(following[:-3] + ("aaa" if not following.endswith("aaa") else "bbb"))
    assert answer.status_code == 410
    assert "page" in answer.json()["issue"][0]["diagnostics"]
