"""_include and _revinclude: what may be seen around the matches, and nothing else."""

import pytest

from liaison.fhir.store.contract import Key

from .conftest import Territory


async def test_includes_follow_references_to_what_may_be_seen(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    nurse = await territory.add({"resourceType": "Practitioner", "name": [{"family": "Petit"}]})
    hidden = await territory.patient()
    encounter = await territory.add(
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"code": "HH"},
            "subject": {"reference": f"Patient/{territory.id(patient)}"},
            "participant": [
                {"individual": {"reference": f"Practitioner/{territory.id(nurse)}"}},
                {"individual": {"reference": f"Practitioner/{'0' * 32}"}},
            ],
            "appointment": [{"reference": f"Appointment/{territory.id(hidden)}"}],
        },
        patient,
    )
    query = f"patient={territory.id(patient)}&_include=Encounter:patient&_include=Encounter:participant"
    found = await territory.search("Encounter", query)
    assert found.ids == [territory.id(encounter)]
    assert set(found.included) == {territory.id(patient), territory.id(nurse)}
    assert found.total == 1
    assert {one.key for one in found.answer.disclosed} == {encounter, patient, nurse}
    everything = await territory.search("Encounter", f"patient={territory.id(patient)}&_include=Encounter:*")
    assert set(everything.included) == {territory.id(patient), territory.id(nurse)}
    typed = await territory.search(
        "Encounter", "_include=Encounter:participant:Practitioner&_include=Encounter:subject:Group"
    )
    assert typed.included == [territory.id(nurse)]


async def test_what_refers_to_a_match_can_be_added(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    nurse = await territory.add({"resourceType": "Practitioner", "name": [{"family": "Petit"}]})
    site = await territory.add({"resourceType": "Location", "name": "Maison"})
    role = await territory.add(
        {
            "resourceType": "PractitionerRole",
            "practitioner": {"reference": f"Practitioner/{territory.id(nurse)}"},
            "location": [{"reference": f"Location/{territory.id(site)}"}],
        }
    )
    encounter = await territory.add(
        {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"code": "HH"},
            "subject": {"reference": f"Patient/{territory.id(patient)}"},
            "participant": [{"individual": {"reference": f"PractitionerRole/{territory.id(role)}"}}],
        },
        patient,
    )
    other = await territory.patient()
    mine = await territory.observation(patient, encounter={"reference": f"Encounter/{territory.id(encounter)}"})
    await territory.observation(other, performer=[{"reference": f"Practitioner/{territory.id(nurse)}"}])
    name = {
        territory.id(key): text
        for key, text in ((patient, "P"), (nurse, "N"), (site, "L"), (role, "R"), (encounter, "E"), (mine, "O"))
    }
    for type_, query, wanted in (
        ("Encounter", "_revinclude=Observation:encounter", "O"),
        ("Encounter", "_revinclude=Observation:*", "O"),
        ("Encounter", "_revinclude=Observation:encounter:Encounter", "O"),
        ("Encounter", "_revinclude=Observation:encounter:EpisodeOfCare", ""),
        ("Encounter", "_revinclude=Observation:subject", ""),
        ("Patient", "_revinclude=Observation:subject", "O"),
        ("Patient", "_revinclude=Encounter:patient&_revinclude:iterate=Observation:encounter", "EO"),
        ("Practitioner", "_revinclude=PractitionerRole:practitioner", "R"),
        ("Practitioner", "_revinclude=Observation:performer", ""),
        ("Encounter", "_include=Encounter:participant", "R"),
        ("Encounter", "_include=Encounter:participant&_include:iterate=PractitionerRole:practitioner", "NR"),
        ("Encounter", "_include=Encounter:participant&_include:iterate=PractitionerRole:*", "LNR"),
        ("Encounter", "_include:iterate=PractitionerRole:practitioner", ""),
        ("Observation", "_include=Observation:encounter&_include:iterate=Encounter:subject", "EP"),
        ("Observation", "_include:iterate=Observation:encounter&_revinclude:iterate=Observation:encounter", "E"),
    ):
        found = await territory.search(type_, query)
        assert "".join(sorted(name[one] for one in found.included)) == wanted, (type_, query)
        assert len(found.answer.disclosed) == len(found.ids) + len(found.included)
    narrow = await territory.session(2, 1, "user/Encounter.rs user/Observation.rs?status=preliminary")
    assert (await territory.search("Encounter", "_revinclude=Observation:encounter", narrow)).included == []
    alone = await territory.session(3, 1, "user/Encounter.rs")
    everything = "_revinclude=Observation:encounter&_include=Encounter:*&_include:iterate=PractitionerRole:*"
    assert (await territory.search("Encounter", everything, alone)).included == []


@pytest.mark.parametrize("way", ["_include:iterate", "_revinclude:iterate"])
async def test_where_iterating_stops_the_page_says_so(team: tuple[Territory, Key], way: str) -> None:
    territory, patient = team
    chain = [await territory.observation(patient)]
    while len(chain) < 13:
        members = [{"reference": f"Observation/{territory.id(chain[-1])}"}]
        chain.append(await territory.observation(patient, hasMember=members))
    from_, short = (chain[-1], chain[4]) if way == "_include:iterate" else (chain[0], chain[8])
    long = await territory.search("Observation", f"_id={territory.id(from_)}&{way}=Observation:has-member")
    whole = await territory.search("Observation", f"_id={territory.id(short)}&{way}=Observation:has-member")

    assert len(long.included) == 10
    assert "more than 10 references away" in long.answer.body.decode()
    assert len(whole.included) == 4
    assert "references away" not in whole.answer.body.decode()
