"""_summary and _elements in a search: the page and its total are the same, the bodies are cut and say so."""

import orjson

from liaison.fhir.store.contract import Key

from .conftest import Territory


async def test_matches_are_cut_and_what_is_included_is_not(team: tuple[Territory, Key]) -> None:
    from liaison.fhir.model import Number

    territory, patient = team
    for number in range(3):
        value = {"value": Number("72.50"), "unit": "kg"}
        await territory.observation(patient, at=f"2026-01-0{number + 1}", note=[{"text": "n"}], valueQuantity=value)
    plain = await territory.search("Observation", "_count=2&_include=Observation:subject")
    for query, left in (
        ("_summary=true", "valueQuantity"),
        ("_elements=value", "valueQuantity"),
        ("_summary=data", "note"),
    ):
        found = await territory.search("Observation", f"_count=2&_include=Observation:subject&{query}")
        assert (found.ids, found.included, found.total) == (plain.ids, plain.included, plain.total)
        assert found.answer.disclosed == plain.answer.disclosed
        first, _, patient_ = (entry["resource"] for entry in found.bundle["entry"])
        assert first["meta"]["tag"][0]["code"] == "SUBSETTED"
        assert left in first
        assert ("note" in first) is (query == "_summary=data")
        assert b'"value":72.50,' in found.answer.body
        assert (patient_["name"][0]["family"], "tag" in patient_["meta"]) == ("Lefèvre", False)
        following = await territory.search("Observation", found.next_query)
        assert [entry["resource"]["meta"]["tag"][0]["code"] for entry in following.bundle["entry"][:1]] == ["SUBSETTED"]
    typed = await territory.search("Observation", "_include=Observation:subject&_elements=Patient.birthDate")
    *_, last = (entry["resource"] for entry in typed.bundle["entry"])
    assert ("name" in last, last["birthDate"]) == (False, "1948-03-02")
    whole = await territory.search("Observation", "_summary=false&_count=2&_include=Observation:subject")
    assert orjson.dumps(whole.bundle["entry"]) == orjson.dumps(plain.bundle["entry"])
