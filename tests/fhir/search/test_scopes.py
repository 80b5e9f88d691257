"""Granular scopes are criteria of every search, and of what it includes."""

from liaison.fhir.store.contract import Key

from .conftest import Territory


async def test_granular_scopes_bound_matches_and_includes(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    vital = await territory.observation(patient, category=[{"coding": [{"system": "http://c", "code": "vital-signs"}]}])
    await territory.observation(patient, category=[{"coding": [{"system": "http://c", "code": "laboratory"}]}])
    caller = await territory.session(2, 1, "user/Observation.rs?category=http://c|vital-signs")
    found = await territory.search("Observation", "_include=Observation:subject&_total=accurate", caller)
    assert (found.ids, found.included, found.total) == ([territory.id(vital)], [], 1)
    text = await territory.session(3, 1, "user/Observation.rs?value-string=nothing")
    assert (await territory.search("Observation", "", text)).ids == []
    both = await territory.session(4, 1, "user/Observation.rs?category=vital-signs user/Patient.rs?family=lef")
    assert (await territory.search("Observation", "_include=Observation:subject", both)).included == [
        territory.id(patient)
    ]
    none = await territory.session(5, 1, "user/Observation.rs?category=vital-signs user/Patient.rs?family=other")
    assert (await territory.search("Observation", "_include=Observation:subject", none)).included == []
