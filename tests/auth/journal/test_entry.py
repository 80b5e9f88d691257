"""What a request and its answer owe to the journal."""

from hashlib import sha256

import pytest

from liaison.auth.caller import Caller
from liaison.auth.journal.entry import ASKED, Event, digest, entries_for, entries_for_changes, entry
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Forbidden, NotFound, PreconditionFailed, Unavailable
from liaison.fhir.store.contract import Answer, Change, Disclosure, Grant, Key, Request

OBSERVATION = kind_of("Observation")
PRACTITIONER = kind_of("Practitioner")
ID = "0123456789abcdef0123456789abcdef"


def grant(rule: int, relation: int = 4) -> Grant:
    return Grant(1, 0, 0, 0, 0, rule, relation)


def shown(patient: int, res: int = 7, *rules: int, kind: int = OBSERVATION) -> Disclosure:
    return Disclosure(Key(patient, kind, res), 1, tuple(grant(rule) for rule in rules))


def test_a_read_is_one_entry_with_the_rule_that_allowed_it(caller: Caller) -> None:
    request = Request("GET", f"Observation/{ID}", request_id="r1", address="192.0.2.1")
    (one,) = entries_for(caller, request, Answer(200, b"{}", disclosed=(shown(42, 7, 20),)))
    assert (one.event, one.outcome, one.patient) == (Event.READ, 0, 42)
    assert (one.person, one.organization, one.role_code) == (caller.practitioner, caller.organization, "gp")
    assert (one.session, one.purpose, one.client, one.request) == (caller.session, 1, caller.client, "r1")
    assert one.items == ((OBSERVATION, 7, 1, 20, 4),)
    assert one.address == "192.0.2.1"


def test_every_rule_that_was_needed_is_kept_once(caller: Caller) -> None:
    request = Request("GET", f"Observation/{ID}")
    (one,) = entries_for(caller, request, Answer(200, disclosed=(shown(42, 7, 40, 20, 20),)))
    assert one.items == ((OBSERVATION, 7, 1, 20, 4, 40, 4),)


def test_a_search_is_one_entry_per_patient_and_one_for_the_query(caller: Caller) -> None:
    disclosed = (shown(1, 10, 20), shown(2, 20, 20), shown(1, 11, 20), shown(0, 5, kind=PRACTITIONER))
    request = Request("GET", "Observation", "code=8480-6")
    query, first, second = entries_for(caller, request, Answer(200, disclosed=disclosed, total=9))
    assert (query.event, query.patient, query.query, query.total, query.returned) == (
        Event.SEARCH,
        0,
        "code=8480-6",
        9,
        4,
    )
    assert query.items == ((PRACTITIONER, 5, 1),)  # a directory resource is nobody's record
    assert query.digest == digest(disclosed)
    assert (first.patient, [item[1] for item in first.items]) == (1, [10, 11])
    assert (second.patient, [item[1] for item in second.items]) == (2, [20])
    assert first.query == second.query == ""  # what was asked about one patient is not told on another's record


def test_a_question_in_a_body_is_recorded_like_one_in_a_url(caller: Caller) -> None:
    request = Request("POST", "Observation/$lastn", body=b"{}")
    (one,) = entries_for(caller, request, Answer(200, asked="patient=x&category=y", total=0))
    assert (one.event, one.query) == (Event.OPERATION, "patient=x&category=y")


def test_the_digest_covers_patient_type_id_version_and_order() -> None:
    one, other = shown(1), shown(2)
    assert (
        digest((one,))
        == sha256(
            (1).to_bytes(8, "big") + OBSERVATION.to_bytes(2, "big") + (7).to_bytes(8, "big") + (1).to_bytes(8, "big")
        ).hexdigest()
    )
    assert digest((one, other)) != digest((other, one))
    assert digest(()) == ""


@pytest.mark.parametrize("total", [0, 12])
def test_a_count_or_an_empty_answer_is_the_query_alone(caller: Caller, total: int) -> None:
    request = Request("GET", "Observation", "_summary=count")
    (query,) = entries_for(caller, request, Answer(200, total=total))
    assert (query.event, query.total, query.returned, query.digest) == (Event.SEARCH, total, 0, "")


@pytest.mark.parametrize(
    ("error", "outcome", "status"), [(NotFound(), 4, 404), (Forbidden("x"), 4, 403), (Unavailable("x"), 8, 503)]
)
def test_a_refusal_records_what_was_asked_for(
    caller: Caller, error: NotFound | Forbidden | Unavailable, outcome: int, status: int
) -> None:
    (one,) = entries_for(caller, Request("GET", f"Observation/{ID}"), error)
    assert (one.event, one.outcome, one.status) == (Event.READ, outcome, status)
    assert one.requested == ("Observation", ID)
    assert one.patient == 0
    assert one.detail == {"issue": error.code}


def test_a_path_that_names_nothing_is_recorded_as_sent(caller: Caller) -> None:
    (one,) = entries_for(caller, Request("GET", "Nonsense/../x"), NotFound())
    assert (one.path, one.requested) == ("Nonsense/../x", ("", ""))


def test_parts_of_a_bundle_count_as_if_each_had_come_alone(caller: Caller) -> None:
    parts = (
        (Request("GET", f"Observation/{ID}"), Answer(200, disclosed=(shown(42),))),
        (Request("GET", f"Observation/{ID}"), Answer(404)),
        (Request("POST", "Observation"), Answer(201)),
    )
    read, refused = entries_for(caller, Request("POST", ""), Answer(200, parts=parts))
    assert (read.event, read.patient) == (Event.READ, 42)
    assert (refused.outcome, refused.requested) == (4, ("Observation", ID))


def test_a_write_owes_nothing_more_but_what_it_shows_beside(caller: Caller) -> None:
    assert entries_for(caller, Request("POST", "Observation"), Answer(201)) == ()
    (shown_instead,) = entries_for(caller, Request("POST", "Observation"), Answer(200, disclosed=(shown(3),)))[1:]
    assert (shown_instead.event, shown_instead.patient) == (Event.READ, 3)


LIST = shown(42, 5, 20, kind=kind_of("List"))


def test_what_decided_an_answer_is_an_item_and_counts_for_nothing(caller: Caller) -> None:
    asked = Request("GET", "Observation", f"_list={ID}")
    for answer in (Answer(200, total=3, consulted=(LIST,)), Answer(200, disclosed=(shown(7),), consulted=(LIST,))):
        query, *others = entries_for(caller, asked, answer)
        assert (query.returned, query.digest) == (len(answer.disclosed), digest(answer.disclosed))
        assert (LIST.key.patient, ((LIST.key.kind, 5, 1, 20, 4),)) in [(one.patient, one.items) for one in others]


def test_a_definition_that_decided_an_answer_is_nobodys_record(caller: Caller) -> None:
    value_set = shown(0, 6, kind=kind_of("ValueSet"))
    (query,) = entries_for(caller, Request("GET", "Observation", "code:in=x"), Answer(200, consulted=(value_set,)))
    assert query.items == ((value_set.key.kind, 6, 1),)


def test_a_write_or_a_refusal_that_a_list_decided_is_an_entry_on_its_record(caller: Caller) -> None:
    several = PreconditionFailed("Several resources match.")
    several.consulted = (LIST,)
    for answer in (Answer(201, consulted=(LIST,)), Answer(204, total=0, consulted=(LIST,)), several):
        query, about = entries_for(caller, Request("PUT", "Observation", f"_list={ID}"), answer)
        assert (about.event, about.outcome, about.patient) == (Event.SEARCH, 0, 42)
        assert about.items == ((LIST.key.kind, 5, 1, 20, 4),)
        assert query.outcome == (4 if answer is several else 0)


def test_not_modified_is_journaled_like_a_read(caller: Caller) -> None:
    (one,) = entries_for(caller, Request("GET", f"Observation/{ID}"), Answer(304, disclosed=(shown(42),)))
    assert (one.event, one.status, one.patient, len(one.items)) == (Event.READ, 304, 42, 1)


def test_capabilities_are_public(caller: Caller) -> None:
    assert entries_for(caller, Request("GET", "metadata"), Answer(200)) == ()


def test_reading_the_journal_is_an_event_of_its_own(caller: Caller) -> None:
    query, about = entries_for(
        caller, Request("GET", "AuditEvent"), Answer(200, disclosed=(shown(9, kind=kind_of("AuditEvent")),))
    )
    assert query.event == about.event == Event.JOURNAL_READ
    assert about.patient == 9


def test_a_write_is_one_entry_per_patient_and_act(caller: Caller) -> None:
    changes = [
        Change("create", Key(1, OBSERVATION, 10), "Observation", 1, {}),
        Change("create", Key(1, OBSERVATION, 11), "Observation", 1, {}),
        Change("update", Key(1, OBSERVATION, 12), "Observation", 3, {}),
        Change("delete", Key(2, OBSERVATION, 20), "Observation", 2, None),
    ]
    token = ASKED.set(Request("POST", "", request_id="r9"))
    try:
        written = entries_for_changes(caller, changes)
    finally:
        ASKED.reset(token)
    assert [(one.event, one.patient, [item[1:3] for item in one.items]) for one in written] == [
        (Event.CREATE, 1, [(10, 1), (11, 1)]),
        (Event.UPDATE, 1, [(12, 3)]),
        (Event.DELETE, 2, [(20, 2)]),
    ]
    assert {one.request for one in written} == {"r9"}


def test_numbers_of_events_never_change() -> None:
    """They are stored: this list may grow at its end only."""
    assert {event.name: int(event) for event in Event} == {
        "READ": 1,
        "VREAD": 2,
        "HISTORY": 3,
        "SEARCH": 4,
        "OPERATION": 5,
        "BUNDLE": 6,
        "CREATE": 11,
        "UPDATE": 12,
        "DELETE": 13,
        "SIGN_IN": 20,
        "SIGN_OUT": 21,
        "TOKEN": 22,
        "REFUSED_CALLS": 23,
        "RIGHTS": 30,
        "EMERGENCY": 31,
        "EXPORT": 40,
        "IMPORT": 41,
        "JOB": 42,
        "JOURNAL_READ": 50,
        "KEYS": 60,
        "CONFIGURATION": 61,
        "BACKUP": 62,
        "RESTORE": 63,
        "HOLD": 64,
        "DESTRUCTION": 65,
        "CHAIN_START": 90,
        "CHAIN_END": 91,
        "LINK": 92,
    }


def test_an_act_that_is_no_request_carries_its_reason(caller: Caller) -> None:
    one = entry(caller, Event.EMERGENCY, patient=4, reason="Chute, ne répond plus")
    assert (one.event, one.patient, one.reason, one.role_code) == (Event.EMERGENCY, 4, "Chute, ne répond plus", "gp")
