"""Chains and _has: what is found through references, and that nothing is found through what may not be seen."""

from datetime import UTC, datetime
from typing import Any

import pytest

from liaison.fhir.errors import BadRequest, FhirError, Forbidden, TooCostly
from liaison.fhir.search import find, match, where
from liaison.fhir.search.criteria import Context
from liaison.fhir.search.decide import Budget
from liaison.fhir.search.links import Links
from liaison.fhir.search.parse import pairs, parse
from liaison.fhir.search.run import Run
from liaison.fhir.store import Store

from .conftest import BASE, PSY, PlainHooks, Territory
from .linked import House
from .test_strangers import OpenFilter

HIDDEN = {"security": [{"system": PSY, "code": "PSY"}]}


@pytest.fixture
async def house(territory: Territory) -> House:
    return await House.furnished(territory)


FOUND = (
    # to the patient, whose type need not be said
    ("Observation", "patient.family=lef", "alone o-zoe"),
    ("Observation", "subject:Patient.name=petit", "o-paul"),
    ("Observation", "subject.name=petit", "o-paul"),
    ("Observation", "patient.birthdate=lt1950", "alone o-zoe"),
    ("Observation", "patient.family:exact=Petit", "o-paul"),
    ("Observation", "patient.family:contains=fev", "alone o-zoe"),
    ("Observation", "patient.birthdate:missing=true", ""),
    ("Observation", "patient.general-practitioner:missing=true", "o-paul"),
    ("Observation", "patient._id={zoe}", "alone o-zoe"),
    ("Observation", "patient._id={paul},{zoe}&code=8867-4", "o-paul o-zoe"),
    ("Observation", "patient._lastUpdated=gt2020", "alone o-paul o-zoe"),
    ("Observation", "patient.family=nobody", ""),
    # inside a record
    ("Observation", "encounter.class=HH", "o-zoe"),
    ("Observation", "encounter.class=HH,AMB", "o-paul o-zoe"),
    ("Observation", "encounter.class:not=HH", "o-paul"),
    ("Observation", "encounter.class=HH&encounter.status=finished", "o-zoe"),
    ("Observation", "encounter.class=HH&encounter.status=planned", ""),
    ("Observation", "encounter.class=HH&patient={paul}", ""),
    ("Observation", "encounter:Encounter.class=AMB&patient={paul}&_sort=-date", "o-paul"),
    ("Observation", "performer.name=lef", "alone"),
    ("Observation", "performer:Patient.name=lef", "alone"),
    ("Observation", "performer:Practitioner.name=lef", ""),
    # to the directory, and from it
    ("Encounter", "participant:Practitioner.name=durand", "e-zoe"),
    ("Encounter", "participant.name=durand", "e-zoe"),
    ("Encounter", "participant.name=durand,petit", "e-paul e-zoe"),
    ("Encounter", "practitioner.active=true", "e-zoe"),
    ("Encounter", "service-provider.partof.name=pneumo", "e-paul e-zoe"),
    ("Organization", "partof.name=hopital", "lungs"),
    ("Organization", "partof.partof.name=hopital", "unit"),
    ("Patient", "organization.partof.name=pneumo", "paul"),
    ("Patient", "general-practitioner.name=petit", "zoe"),
    # four links, of several kinds
    ("Observation", "encounter.service-provider.partof.partof.name=hopital", "o-paul o-zoe"),
    ("Observation", "patient.organization.partof.partof.name=hopital", "o-paul"),
    ("Observation", "patient.organization.partof.partof._id={lungs}", ""),
    # _has
    ("Patient", "_has:Observation:patient:code=9279-1", "zoe"),
    ("Patient", "_has:Observation:subject:code=9279-1", "zoe"),
    ("Patient", "_has:Observation:patient:code=8867-4", "paul zoe"),
    ("Patient", "_has:Observation:patient:code=8867-4&_has:Encounter:patient:class=AMB", "paul"),
    ("Patient", "_has:Observation:patient:code:not=8867-4", "zoe"),
    ("Patient", "_has:Observation:performer:code=9279-1", "zoe"),
    ("Patient", "_has:Observation:performer:code=9279-1&_id={zoe}", "zoe"),
    ("Patient", "_has:Observation:performer:code=9279-1&_id={paul}", ""),
    ("Patient", "_has:Encounter:patient:_has:Observation:encounter:code=8867-4", "paul zoe"),
    ("Patient", "_has:Encounter:patient:_has:Observation:encounter:code=9279-1", ""),
    ("Encounter", "_has:Observation:encounter:code=8867-4&patient={zoe}", "e-zoe"),
    ("Encounter", "_has:Observation:encounter:patient.name=petit", "e-paul"),
    ("Organization", "_has:Encounter:service-provider:class=HH", "unit"),
    ("Organization", "_has:Organization:partof:_has:Organization:partof:name=unite", "hospital"),
    ("Practitioner", "_has:Encounter:participant:class=AMB", "petit"),
    ("Practitioner", "_has:Encounter:participant:class=AMB&_id={durand}", ""),
    ("Practitioner", "_has:Encounter:participant:service-provider.partof.name=pneumo&family=dur", "durand"),
    # _has at the end of a chain
    ("Observation", "patient._has:Encounter:patient:class=AMB", "o-paul"),
    ("Observation", "encounter._has:Observation:encounter:code=8867-4", "o-paul o-zoe"),
    ("Encounter", "participant:Practitioner._has:Patient:general-practitioner:family=lef", "e-paul"),
)


async def test_what_references_lead_to_can_be_asked_about(house: House) -> None:
    for type_, query, wanted in FOUND:
        assert await house.found(type_, query) == wanted, (type_, query)


async def test_the_compartment_of_a_patient_holds_for_chains(house: House) -> None:
    zoe = house.territory.store.reference(house.names["zoe"])
    assert await house.found("Observation", "encounter.class=HH,AMB", compartment=zoe) == "o-zoe"
    assert await house.found("Observation", "encounter.class=AMB", compartment=zoe) == ""


async def test_chained_searches_are_paged_sorted_and_counted_as_others(house: House) -> None:
    """medplum#5499, MS#2347: a chain disturbed _sort, _count and the total."""
    for number in range(7):
        await house.observation(
            f"n{number}", "zoe", effectiveDateTime=f"2026-01-{9 - number:02}", encounter=house.ref("e-zoe")
        )
    query = "encounter.class=HH&_sort=-date&_total=accurate"
    whole = (await house.territory.search("Observation", f"{query}&_count=100")).ids
    assert whole[:7] == [house.territory.id(house.names[f"n{number}"]) for number in range(7)]
    first = await house.territory.search("Observation", f"{query}&_count=3")
    await house.encounter("e-zoe-2", "zoe", "HH")
    await house.observation("later", "zoe", effectiveDateTime="2026-01-05", encounter=house.ref("e-zoe-2"))
    seen, page = first.ids, first
    while page.next:
        page = await house.territory.search("Observation", page.next_query)
        seen += page.ids
        assert page.total == 8
    assert seen == whole


async def test_a_link_that_changed_since_the_first_page_is_as_it_was(house: House) -> None:
    for number in range(4):
        await house.observation(f"n{number}", "zoe", encounter=house.ref("e-zoe"))
    first = await house.territory.search("Observation", "encounter.class=HH&_count=2")
    changed = {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}, "subject": house.ref("zoe")}
    await house.territory.write(house.territory.change(changed, house.names["e-zoe"], 2))
    second = await house.territory.search("Observation", first.next_query)
    assert len(second.ids) == 2
    assert await house.found("Observation", "encounter.class=HH") == ""


# ---- references out of the record ---------------------------------------------------------------------------------


async def test_references_into_another_record_are_followed_both_ways(house: House) -> None:
    await house.observation("mother", "paul", "baby", focus=[house.ref("zoe"), house.ref("e-zoe")])
    await house.observation("far", "paul", "baby", focus=[house.ref("o-zoe")])
    for type_, query, wanted in (
        ("Observation", "focus:Patient.family=lef", "mother"),
        ("Observation", "focus:Patient.family=lef&patient={paul}", "mother"),
        ("Observation", "focus:Patient.family=lef&patient={zoe}", ""),
        ("Observation", "focus:Encounter.class=HH", "mother"),
        ("Observation", "focus:Encounter.class=HH&patient={paul}", "mother"),
        ("Observation", "focus:Observation.encounter.class=HH", "far"),
        ("Observation", "focus:Observation.encounter.class=HH&patient={paul}", "far"),
        ("Patient", "_has:Observation:focus:code=baby", "zoe"),
        ("Patient", "_has:Observation:focus:code=baby&_id={zoe}", "zoe"),
        ("Patient", "_has:Observation:focus:code=baby&_id={paul}", ""),
        ("Encounter", "_has:Observation:focus:code=baby&patient={zoe}", "e-zoe"),
    ):
        assert await house.found(type_, query) == wanted, (type_, query)


async def test_without_the_mark_a_reference_into_another_record_is_lost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.observation("mother", "paul", "baby", focus=[house.ref("e-zoe")])
    assert await house.found("Observation", "focus:Encounter.class=HH") == "mother"
    monkeypatch.setattr("liaison.fhir.search.links.FOREIGN", b"another")
    assert await house.found("Observation", "focus:Encounter.class=HH") == ""


async def test_a_question_about_one_patient_looks_into_no_other_record(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """medplum#4212, LFH#1705, LFH#3125: such searches walked through everything there was."""
    zoe, paul = house.names["zoe"].patient, house.names["paul"].patient
    asked: list[Any] = []
    fetch = house.territory.store.lanes.fetch

    async def watched(text: str, *arguments: Any) -> list[Any]:
        asked.append(arguments)
        return await fetch(text, *arguments)

    monkeypatch.setattr(house.territory.store.lanes, "fetch", watched)
    for type_, query, statements in (
        ("Observation", "patient={zoe}&encounter.class=HH&_sort=-date", 4),
        ("Observation", "patient={zoe}&encounter.participant.name=durand", 8),
        # of the two links into the directory, each also asks for what may be contained: no token says the start of a name
        ("Observation", "patient={zoe}&encounter.service-provider.partof.name=pneumo", 9),
        ("Encounter", "patient={zoe}&_has:Observation:encounter:patient.name=lef", 10),
        ("Patient", "_id={zoe}&_has:Observation:patient:code=8867-4", 3),
    ):
        asked.clear()
        assert await house.found(type_, query)
        assert len(asked) <= statements, (query, len(asked))
        named = {one for arguments in asked for value in arguments for one in _flat(value)}
        assert zoe in named, query
        assert paul not in named, query


def _flat(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


async def test_many_alternatives_are_one_search(house: House) -> None:
    """hapi-fhir#7624, hapi-fhir#8247: alternatives at the end of a chain multiplied the joins until it timed out."""
    many = ",".join(f"https://example.org/id|{number}" for number in range(300))
    assert await house.found("Observation", f"patient.identifier={many}&patient.family=lef") == ""
    names = ",".join(["lef", *(f"name{number}" for number in range(300))])
    assert await house.found("Observation", f"patient.family={names}") == "alone o-zoe"


# ---- what may not be seen ------------------------------------------------------------------------------------------


async def _hide(house: House) -> None:
    """What the caller may not see: a stay of Zoé's, an observation about her, and all of Rose's record."""
    await house.encounter("stay", "zoe", "PSY", meta=HIDDEN, serviceProvider=house.ref("lungs"))
    await house.observation("during", "zoe", "during", encounter=house.ref("stay"))
    await house.observation("secret", "zoe", "secret", meta=HIDDEN, encounter=house.ref("e-zoe"))
    await house.patient("rose", seen=False, name=[{"family": "Rose"}], generalPractitioner=[house.ref("durand")])
    await house.encounter("e-rose", "rose", "HH", serviceProvider=house.ref("lungs"))
    await house.observation("o-rose", "rose", "rose", encounter=house.ref("e-rose"), performer=[house.ref("durand")])
    await house.observation("about", "zoe", "about", focus=[house.ref("rose"), house.ref("o-rose")])


THROUGH_HIDDEN = (
    ("Observation", "encounter.class=PSY", "during"),
    ("Observation", "encounter.class:not=HH&code=during", "during"),
    ("Observation", "encounter.service-provider.name=pneumo", "during"),
    ("Observation", "encounter.patient.family=lef&code=during", "during"),
    ("Observation", "focus:Patient.family=rose", "about"),
    ("Observation", "focus:Patient.family=rose&patient={zoe}", "about"),
    ("Observation", "focus:Observation.code=rose", "about"),
    ("Patient", "_has:Observation:patient:code=secret", "zoe"),
    ("Patient", "_has:Encounter:patient:class=PSY", "zoe"),
    ("Patient", "_has:Encounter:patient:_has:Observation:encounter:code=secret", "zoe"),
    ("Encounter", "_has:Observation:encounter:code=secret", "e-zoe"),
    ("Encounter", "patient._has:Observation:patient:code=secret&patient={zoe}&class=HH", "e-zoe"),
    ("Practitioner", "_has:Observation:performer:code=rose", "durand"),
    ("Practitioner", "_has:Patient:general-practitioner:family=rose", "durand"),
    ("Organization", "_has:Encounter:service-provider:class=PSY", "lungs"),
)


async def test_a_link_that_may_not_be_seen_does_not_exist(house: House) -> None:
    """hapi-fhir#6065: rights bounded what was shown and not what was asked, so that `_has` told of hidden values."""
    await _hide(house)
    for type_, query, _ in THROUGH_HIDDEN:
        assert await house.found(type_, query) == "", (type_, query)
        counted = await house.territory.search(
            type_, query.format(zoe=house.territory.id(house.names["zoe"])) + "&_summary=count"
        )
        assert counted.total == 0, (type_, query)


async def test_hops_that_see_everything_would_find_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: only the hops read without the access filter; the matches themselves are visible."""
    await _hide(house)
    territory = house.territory
    await territory.grant(house.names["rose"].patient, 2)
    async with Store(territory.database, territory.store.vault, OpenFilter(), PlainHooks()) as open_:

        class Everyone(Run):
            async def _own(self) -> tuple[int, ...]:
                return tuple(key.patient for key in house.names.values() if key.patient)

        def run(self: Links, made: Any) -> Run:
            return Everyone(open_, self.caller, made, self.snapshot, budget=self.budget)

        monkeypatch.setattr(Links, "running", run)
        for type_, query, wanted in THROUGH_HIDDEN:
            assert await house.found(type_, query) == wanted, (type_, query)


async def test_a_right_that_ends_between_two_pages_ends_on_the_links_too(house: House) -> None:
    for number in range(4):
        await house.observation(f"n{number}", "zoe", focus=[house.ref("paul")])
    first = await house.territory.search("Observation", "focus:Patient.family=petit&_count=2")
    assert len(first.ids) == 2
    paul = house.names["paul"].patient
    await house.territory.database.writing.execute("delete from access_grant where patient = $1", paul)
    assert (await house.territory.search("Observation", first.next_query)).ids == []


# ---- scopes --------------------------------------------------------------------------------------------------------


SCOPED = (
    ("user/Observation.rs user/Encounter.rs", "Observation", "encounter.class=HH", "o-zoe"),
    ("user/Observation.rs user/Encounter.rs?class=AMB", "Observation", "encounter.class=HH", ""),
    ("user/Observation.rs user/Encounter.rs?class=HH", "Observation", "encounter.class=HH,AMB", "o-zoe"),
    ("user/Observation.rs user/Encounter.rs?class=HH", "Observation", "encounter.class:not=X", "o-zoe"),
    ("user/Patient.rs user/Observation.rs?code=9279-1", "Patient", "_has:Observation:patient:status=final", "zoe"),
    # decided after decryption
    ("user/Observation.rs user/Patient.rs?family=lef", "Observation", "patient.birthdate=gt1900", "alone o-zoe"),
    # a type that was not named and may not be searched is not tried
    ("user/Observation.rs user/Practitioner.rs", "Observation", "performer.name=lef", ""),
)
UNSCOPED = (
    ("user/Observation.rs", "Observation", "encounter.class=HH"),
    ("user/Observation.rs", "Observation", "encounter.class=no-such"),
    ("user/Observation.rs user/Encounter.r", "Observation", "encounter.class=HH"),
    ("user/Patient.rs", "Patient", "_has:Observation:patient:code=x"),
    ("user/Observation.rs user/Encounter.rs", "Observation", "encounter.service-provider.name=x"),
    ("user/Patient.rs user/Encounter.rs", "Patient", "_has:Encounter:patient:service-provider.name=x"),
    ("user/Patient.rs user/Encounter.rs", "Patient", "_has:Encounter:patient:_has:Observation:encounter:code=x"),
)


async def test_scopes_hold_on_every_link(house: House) -> None:
    for number, (scope, type_, query, wanted) in enumerate(SCOPED, 10):
        caller = await house.territory.session(number, 1, scope)
        assert await house.found(type_, query, caller=caller) == wanted, (scope, query)


async def test_without_the_scope_of_a_link_it_is_refused_whatever_the_data(house: House) -> None:
    for number, (scope, type_, query) in enumerate(UNSCOPED, 10):
        caller = await house.territory.session(number, 1, scope)
        with pytest.raises(Forbidden, match=r"which '.*' asks about"):
            await house.territory.search(type_, query, caller)


def test_a_scope_cannot_be_chained() -> None:
    for query in ("patient.family=lef", "_has:Encounter:patient:class=x"):
        with pytest.raises(BadRequest, match="cannot be chained"):
            match("Observation", {"resourceType": "Observation"}, query)


# ---- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "query", "said"),
    [
        ("Observation", "patient.nonsense=x", "'nonsense' is not a search parameter of Patient"),
        ("Observation", "nonsense.name=x", "'nonsense' is not a reference parameter of Observation"),
        ("Observation", "code.name=x", "'code' is not a reference parameter of Observation"),
        ("Observation", "subject.nonsense=x", "No type that 'subject' may lead to has the parameter 'nonsense'"),
        ("Observation", "patient:Practitioner.name=x", "'patient' of Observation does not lead to 'Practitioner'"),
        ("Observation", "subject:Nonsense.name=x", "does not lead to 'Nonsense'"),
        ("Observation", "patient.=x", "'' is not a search parameter of Patient"),
        ("Observation", "patient..name=x", "'' is not a reference parameter of Patient"),
        ("Observation", "patient.birthdate=yesterday", "'yesterday' is not a date"),
        ("Observation", "patient.family:above=x", "modifier ':above' is not supported"),
        ("Observation", "patient.family=", "A value is missing"),
        ("Observation", "focus.identifier=x", "Name the type a link leads to"),
        ("Encounter", "part-of.part-of.part-of.part-of.part-of.class=x", "at most 4 links"),
        ("Encounter", "part-of.part-of.part-of.part-of._has:Encounter:part-of:part-of.class=x", "at most 4 links"),
        ("Patient", "_has:Encounter:patient:_has:Encounter:part-of:_has:Encounter:part-of:class=x", "nested 2 deep"),
        ("Patient", "_has=x", "_has is written"),
        ("Patient", "_has:Observation=x", "_has is written"),
        ("Patient", "_has:Observation:patient=x", "_has is written"),
        ("Patient", "_has:Nonsense:patient:code=x", "_has is written"),
        ("Patient", "_has:Observation:nonsense:code=x", "not a parameter by which Observation refers to Patient"),
        ("Patient", "_has:Observation:code:code=x", "not a parameter by which Observation refers to Patient"),
        ("Patient", "_has:Observation:encounter:code=x", "not a parameter by which Observation refers to Patient"),
        ("Patient", "_has:AuditEvent:patient:type=x", "AuditEvent cannot be asked about here"),
        ("Patient", "_has:Observation:patient:nonsense=x", "'nonsense' is not a search parameter of Observation"),
    ],
)
def test_a_chain_that_is_not_understood_is_named(type_: str, query: str, said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(pairs(query), Context(type_, BASE, datetime(2026, 1, 1, tzinfo=UTC)))
    [issue] = refused.value.issues
    assert said in issue.diagnostics
    assert query.partition("=")[0][:40] in issue.diagnostics


async def test_a_lenient_caller_is_told_which_chain_was_left_out(house: House) -> None:
    found = await house.territory.search("Observation", "patient.nonsense=x&code=9279-1", lenient=True)
    assert found.ids == [house.territory.id(house.names["alone"])]
    [outcome] = found.outcomes
    assert "patient.nonsense" in outcome["issue"][0]["diagnostics"]
    assert "nonsense" not in found.self_


async def test_a_hop_that_leads_to_too_much_is_too_costly(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(where, "MOST_TOKENS", 1)
    with pytest.raises(TooCostly, match="too many references"):
        await house.territory.search("Encounter", "participant.name=durand,petit")
    monkeypatch.undo()
    monkeypatch.setattr("liaison.fhir.search.links.Budget", lambda: Budget(1))
    with pytest.raises(TooCostly):
        await house.territory.search("Observation", "patient.family=lef")


async def test_conditional_requests_may_be_chained(house: House) -> None:
    territory = house.territory
    found = await find(territory.store, territory.caller, "Observation", "patient.family=lef&code=9279-1")
    assert found.keys == [house.names["alone"]]


async def test_whatever_is_asked_is_answered_or_refused(house: House) -> None:
    """MS#2002: a chained :not gave a 500."""
    ends = ("class=HH", "class:not=HH", "class:missing=true", "class:text=x", "date=ge2020", "_id=x", "_tag:not=x")
    for head in ("encounter.", "encounter:Encounter.", "encounter.part-of.", "_has:Observation:has-member:encounter."):
        for end in ends:
            for scope in ("", "&patient={zoe}"):
                try:
                    await house.found("Observation", f"{head}{end}{scope}")
                except FhirError as error:
                    raise AssertionError((head, end)) from error
