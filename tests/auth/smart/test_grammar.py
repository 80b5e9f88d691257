"""The grammar of scopes: what is refused, and the laws of its order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.auth.smart.grammar import LETTERS, Scope, ScopeError, intersection, parse, widest

VITALS = "category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("user/Patient.rs", "user/Patient.rs"),
        ("system/*.cruds", "system/*.cruds"),
        ("patient/Observation.read", "patient/Observation.rs"),
        ("user/Observation.write", "user/Observation.cud"),
        ("user/*.*", "user/*.cruds"),
        (f"system/Observation.rs?{VITALS}", f"system/Observation.rs?{VITALS}"),
        (
            "user/Observation.rs?status=final&category=laboratory",
            "user/Observation.rs?category=laboratory&status=final",
        ),
        ("user/*.rs?_tag=urn:x|y", "user/*.rs?_tag=urn:x|y"),
    ],
)
def test_a_scope_reads_and_prints_canonically(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "user/Patient.sr",  # out of order: .read must not become .rd
        "user/Patient.dus",
        "user/Patient.rr",
        "user/Patient.",
        "user/Patient",
        "user/Patient.readwrite",
        "User/Patient.rs",
        "user/patient.rs",
        "user/Nothing.rs",
        "offline/Patient.rs",
        "user/Patient.rs?",
        "user/Patient.rs?name",
        "user/Patient.rs?name=",
        "user/Patient.rs?name=%20",
        "user/Patient.rs?name=a&",
        "user/Patient.rs?name=a&&gender=male",
        "user/Patient.rs?name:exact=a",  # modifiers are experimental in scopes
        "user/Observation.rs?subject.name=a",  # so are chains
        "user/Observation.rs?_has:Patient:x:y=z",
        "user/Patient.rs?unknown=a",
        "user/*.rs?code=a",  # not a parameter of every type
        "user/Patient.rs?_text=a",  # cannot be decided
        "user/Patient.rs?name=a=b",
        'user/Patient.rs?name="a"',
        "user/Patient.rs?name=a\\,b",
        "user/Patient.rs\n",
        "user/Patient.rs?name=é",
        "user//Patient.rs",
        "user/Patient.rs/x",
        "",
    ],
)
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ScopeError):
        parse(text)


CRITERIA = st.frozensets(
    st.tuples(st.sampled_from(["status", "code", "category", "_id"]), st.sampled_from(["a", "b", "c|d"])), max_size=3
)


@st.composite
def scopes(draw: st.DrawFn) -> Scope:
    type_ = draw(st.sampled_from(["*", "Observation", "Condition", "Procedure"]))
    criteria = draw(CRITERIA)
    if type_ == "*":
        criteria = frozenset(pair for pair in criteria if pair[0] == "_id")
    if type_ == "Condition":
        criteria = frozenset(pair for pair in criteria if pair[0] != "status")
    chosen = draw(st.sets(st.sampled_from(LETTERS), min_size=1))
    letters = "".join(letter for letter in LETTERS if letter in chosen)
    return Scope(draw(st.sampled_from(["user", "patient", "system"])), type_, letters, criteria)


Some = st.lists(scopes(), max_size=5)


@given(scopes())
def test_what_is_printed_reads_back(scope: Scope) -> None:
    assert parse(str(scope)) == scope


@given(scopes())
def test_containment_is_reflexive(scope: Scope) -> None:
    assert scope.within(scope)


@given(scopes(), scopes())
def test_containment_is_antisymmetric(one: Scope, other: Scope) -> None:
    assert not (one.within(other) and other.within(one)) or one == other


@given(scopes(), scopes(), scopes())
def test_containment_is_transitive(one: Scope, two: Scope, three: Scope) -> None:
    # Chosen so that the premise often holds: a meet lies within both.
    two = one.meet(two) or two
    three = two.meet(three) or three

    assert not (three.within(two) and two.within(one)) or three.within(one)


@given(scopes(), scopes(), scopes())
def test_meet_is_the_greatest_lower_bound(one: Scope, other: Scope, third: Scope) -> None:
    met = one.meet(other)

    assert met == other.meet(one)
    if met is not None:
        assert met.within(one)
        assert met.within(other)
    if third.within(one) and third.within(other):
        assert met is not None
        assert third.within(met)


@given(Some, Some)
def test_an_intersection_never_widens(asked: list[Scope], allowed: list[Scope]) -> None:
    for scope in intersection(asked, allowed):
        assert any(scope.within(one) for one in asked)
        assert any(scope.within(one) for one in allowed)


@given(Some, scopes())
def test_asking_for_less_than_allowed_gives_what_was_asked(allowed: list[Scope], more: Scope) -> None:
    everything = [*allowed, more]

    assert set(intersection(allowed, everything)) == set(widest(allowed))


@given(Some)
def test_widest_loses_nothing(some: list[Scope]) -> None:
    kept = widest(some)

    assert all(any(one.within(other) for other in kept) for one in some)
    assert not any(one != other and one.within(other) for one in kept for other in kept)


@given(Some, Some)
def test_a_union_in_place_of_the_intersection_would_be_seen(asked: list[Scope], allowed: list[Scope]) -> None:
    """The planted fault: a server that adds what is registered to what is asked."""
    planted = widest([*asked, *allowed])
    widened = [scope for scope in planted if not any(scope.within(one) for one in asked)]

    assert bool(widened) == any(not any(one.within(other) for other in asked) for one in allowed)
