"""Two worlds that differ only in what a caller cannot see, and the trace of that caller in each.

`same` builds what is equal for the caller, `hidden` what only one world has. A trace holds status, headers and body of
every answer, with the ids, moments and cursors that are random by nature renamed in order of appearance.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

Tree = dict[str, Any]

INS = "urn:oid:1.2.250.1.213.1.4.10"
LOCAL = "urn:hospital:ipp"
PROTECTION = {"coding": [{"system": "urn:kind", "code": "protection"}]}
PSYCHOSIS = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "F20.0"}]}

_ID = re.compile(rb"[0-9a-f]{32}")
_INSTANT = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_CURSOR = re.compile(rb"(?<=_cursor=)[A-Za-z0-9_\-%=.]+")
_UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")


class Renaming:
    """Ids by order of appearance in this trace: the same number in both worlds, if the traces are the same."""

    def __init__(self) -> None:
        self._names: dict[bytes, bytes] = {}

    def __call__(self, text: bytes) -> bytes:
        text = _CURSOR.sub(b"CURSOR", text)
        text = _UUID.sub(b"UUID", text)
        text = _ID.sub(lambda found: self._names.setdefault(found[0], b"ID%d" % len(self._names)), text)
        return _INSTANT.sub(b"NOW", text)

    def header(self, name: str, value: str) -> tuple[str, str]:
        return name, _DATE.sub("NOW", self(value.encode()).decode())


def hidden_patient() -> Tree:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": INS, "value": "260058815400233"}, {"system": LOCAL, "value": "H1"}],
        "name": [{"use": "official", "family": "LE GOFF", "given": ["Jeanne"]}],
        "birthDate": "1948-03-02",
        "gender": "female",
    }


async def same(territory: Any) -> Any:
    """The caller, outside the hidden patient's team, with a patient of their own. The directory is everybody's, so the
    doctor of the hidden patient is in both worlds."""
    gp = await territory.person("gp")
    other = await territory.person("gp")
    patient = await territory.patient(gp, identifier=[{"system": LOCAL, "value": "V1"}], name=[{"family": "VISIBLE"}])
    patient.other = other
    for day in range(1, 6):
        more = territory.vital(effectiveDateTime=f"2026-03-0{day}", performer=[{"reference": gp.role}])
        patient.made[f"weight{day}"] = await territory.item(patient, **more)
    patient.made["problem"] = await territory.item(patient, "Condition", recordedDate="2026-02-27")
    return gp, patient


async def hidden(territory: Any, gp: Any, patient: Any) -> dict[str, str]:
    """A patient of somebody else: same codes, dates and identifiers as those the trace asks for; and, on the caller's own
    patient, items that the caller may not see."""
    tree = hidden_patient()
    reference = await territory.create(territory.system, tree)

    class Record:
        pass

    record: Any = Record()
    record.reference = reference
    await territory.create(territory.system, territory.team(record, [patient.other]))
    made = {"Patient": reference}
    for day in range(1, 6):
        made["Observation"] = await territory.create(
            territory.system, territory.item_of(record, **territory.vital(effectiveDateTime=f"2026-03-0{day}"))
        )
    made["Condition"] = await territory.create(territory.system, territory.item_of(record, "Condition"))
    # It refers into the record that the caller sees: the store keeps with that one that something does.
    about = [{"reference": patient.reference}, {"reference": patient.made["weight1"]}]
    await territory.create(
        territory.system,
        territory.item_of(record, **territory.vital(effectiveDateTime="2026-03-03"), focus=about),
    )
    # On the visible patient: psychiatry, somebody's report of abuse, a masked item, all of the dates and codes asked for.
    labels = {"meta": {"security": territory.classes("PSY")}}
    for day in range(1, 6):
        await territory.create(
            territory.system,
            territory.item_of(patient, **territory.vital(effectiveDateTime=f"2026-03-0{day}T12:00:00Z"), **labels),
        )
    await territory.create(territory.system, territory.item_of(patient, "Condition", **labels))
    # The same within what the caller would see without it, and by a code in an odd place.
    inner = {"resourceType": "Communication", "id": "held", "status": "completed", "category": [PROTECTION]}
    result = territory.item_of(patient, "Observation", valueCodeableConcept=PSYCHOSIS)
    task = {**territory.item_of(patient, "Task"), "contained": [inner], "focus": {"reference": "#held"}}
    for tree in (task, result):
        await territory.create(territory.system, tree)
    await territory.create(
        territory.system, territory.item_of(patient, "Communication", meta={"security": territory.classes("PROT")})
    )
    masked = await territory.create(territory.system, territory.item_of(patient, "MedicationRequest"))
    masking = {"type": "deny", "data": [{"meaning": "instance", "reference": {"reference": masked}}]}
    made["masked"] = masked
    made["masking"] = await territory.create(
        territory.system, territory.consent(patient, "masking", masking, status="active")
    )
    return made


def absent(territory: Any) -> dict[str, str]:
    """Ids that were never given, of the same shapes: a patient without a record, and resources of theirs."""
    store = territory.store
    from liaison.fhir.definitions import kind_of

    number = store.new_patient()
    return {
        type_: f"{type_}/{store.id(store.new_key(number, kind_of(type_)))}"
        for type_ in ("Patient", "Observation", "Condition")
    }


def requests(
    patient: Any, gp: Any, unseen: Mapping[str, str]
) -> list[tuple[str, str, Tree | list[Tree] | None, dict[str, str]]]:
    """(method, path, body, headers): every path of this service that could tell."""
    mine, theirs = patient.reference, unseen["Patient"]
    asked: list[tuple[str, str, Tree | list[Tree] | None, dict[str, str]]] = []

    def get(path: str, **headers: str) -> None:
        asked.append(("GET", path, None, headers))

    for name in ("Patient", "Observation", "Condition"):
        get(unseen[name])
        get(f"{unseen[name]}/_history")
        get(f"{unseen[name]}/_history/1")
        get(unseen[name], if_none_match='W/"1"')
        asked.append(("DELETE", unseen[name], None, {}))
    get(f"{theirs}/Observation")
    # One at a time: without a date of their own, the roles of two stand in the order of their random ids.
    doctors = (gp.practitioner, patient.other.practitioner)
    referring = [f"Practitioner?_id={one.partition('/')[2]}&_revinclude=*" for one in doctors]
    for query in (
        "Patient", "Patient?_count=1", "Patient?family=le", "Patient?family=LE GOFF&birthdate=1948-03-02",
        "Patient?birthdate=1948-03-02", f"Patient?identifier={quote(INS)}|260058815400233", "Patient?identifier=H1",
        f"Patient?_id={theirs.split('/')[1]}", "Patient?gender=female", "Patient?_sort=-_lastUpdated",
        "Observation", "Observation?_count=2", "Observation?_sort=date&_count=2", "Observation?_sort=-date",
        "Observation?code=29463-7", "Observation?category=vital-signs&_count=3", "Observation?date=2026-03-03",
        "Observation?date=ge2026-03-02&date=lt2026-03-04", f"Observation?patient={theirs}", f"Observation?subject={theirs}",
        f"Observation?patient={mine}", f"Observation?patient={mine}&_count=2", f"Observation?patient={mine},{theirs}",
        "Observation?_include=Observation:subject&_count=3", f"Observation?patient={mine}&_include=Observation:performer",
        "Observation?_include=*&_include:iterate=*&_count=4", "Patient?_revinclude=*&_count=1", *referring,
        f"Patient?_id={theirs.split('/')[1]}&_revinclude=*", "CareTeam?_include=*&_revinclude:iterate=*",
        "Condition", f"Condition?patient={mine}", "Condition?_count=1", "MedicationRequest", f"MedicationRequest?patient={mine}",
        "Communication", f"Communication?patient={mine}", "Consent?_count=1", "Task", "CareTeam", "CareTeam?_count=1",
        f"CareTeam?participant={gp.role}", f"CareTeam?participant={patient.other.role}",
        "Patient?_has:Observation:patient:code=29463-7", "Patient?_has:Condition:patient:_id:missing=false",
        "Patient?_has:CareTeam:patient:status=active", "PractitionerRole?_has:CareTeam:participant:status=active",
        f"Observation?patient.identifier={LOCAL}|H1", "Observation?patient:Patient.family=LE GOFF", "Observation?subject.gender=female",
        "Condition?patient.birthdate=1948-03-02&_sort=patient.family", f"CareTeam?patient.identifier={LOCAL}|V1",
    ):  # fmt: skip
        get(query)
        get(f"{query}{'&' if '?' in query else '?'}_total=accurate")
        get(f"{query}{'&' if '?' in query else '?'}_summary=count")
    get(f"{mine}/Observation")
    operations(asked, mine, unseen)
    shapes(asked, mine, unseen)
    patches(asked, unseen)
    weight = patient.made["weight1"]
    get(f"{weight}/_history")

    def put(path: str, body: Tree, **headers: str) -> None:
        asked.append(("PUT", path, body, headers))

    def post(path: str, body: Tree, **headers: str) -> None:
        asked.append(("POST", path, body, headers))

    observation = {
        "resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": theirs},
    }  # fmt: skip
    post("Observation", observation)
    put(unseen["Observation"], {**observation, "id": unseen["Observation"].split("/")[1]})
    put(unseen["Observation"], {**observation, "id": unseen["Observation"].split("/")[1]}, if_match='W/"1"')
    post("Observation", {**observation, "subject": {"reference": mine}, "focus": [{"reference": theirs}]})
    post(
        "Observation",
        {**observation, "subject": {"reference": mine}, "derivedFrom": [{"reference": unseen["Observation"]}]},
    )
    # conditional requests whose criteria somebody else's record satisfies
    plain = {**hidden_patient(), "identifier": [{"system": LOCAL, "value": "H1"}]}
    post("Patient", plain, if_none_exist=f"identifier={LOCAL}|H1")
    post("Patient", hidden_patient())
    weighed = {**observation, "subject": {"reference": mine}}
    for criterion in (
        f"patient={theirs}",
        f"_id={unseen['Observation'].partition('/')[2]}",
        f"subject={theirs}&code=29463-7",
    ):
        post("Observation", weighed, if_none_exist=criterion)
        put(f"Observation?{criterion}", weighed)
    put(f"Patient?identifier={LOCAL}|H2", {**plain, "identifier": [{"system": LOCAL, "value": "H2"}]})
    by_identifier = {**observation, "subject": {"reference": f"Patient?identifier={quote(INS)}|260058815400233"}}
    entries = [
        {"resource": by_identifier, "request": {"method": "POST", "url": "Observation"}},
        {"request": {"method": "GET", "url": theirs}},
        {"request": {"method": "GET", "url": "Observation?code=29463-7&_count=1"}},
        {"request": {"method": "DELETE", "url": unseen["Condition"]}},
        {
            "resource": {**observation, "subject": {"reference": theirs}},
            "request": {"method": "POST", "url": "Observation"},
        },
    ]
    for type_ in ("batch", "transaction"):
        post("", {"resourceType": "Bundle", "type": type_, "entry": entries})
        for entry in entries:
            post("", {"resourceType": "Bundle", "type": type_, "entry": [entry]})
    consent_of_theirs = {
        "resourceType": "Consent", "status": "active", "patient": {"reference": theirs},
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"text": "x"}], "policyRule": {"text": "x"}, "provision": {"type": "permit"},
    }  # fmt: skip
    post("Consent", consent_of_theirs)
    post(f"{theirs}/$oppose", {"resourceType": "Parameters"})
    return asked


def operations(
    asked: list[tuple[str, str, Tree | list[Tree] | None, dict[str, str]]], mine: str, unseen: Mapping[str, str]
) -> None:
    """The operations on the record, on what is seen and on what is not."""
    theirs = unseen["Patient"]
    labels = {"resourceType": "Parameters", "parameter": [
        {"name": "meta", "valueMeta": {"tag": [{"system": "urn:x", "code": "y"}]}}]}  # fmt: skip
    paths = [f"{mine}/$everything", f"{mine}/$everything?_count=2", f"{mine}/$everything?start=2026-03-02&end=2026-03-04",
             f"{mine}/$everything?_type=Observation,Consent,Communication", "Patient/$everything",
             "Patient/$everything?_count=3", f"{mine}/$summary", f"Patient/$summary?identifier={LOCAL}|V1",
             f"Patient/$summary?identifier={LOCAL}|H1", "$meta", "Observation/$meta", "Communication/$meta", "Patient/$meta",
             f"Observation/$lastn?patient={mine}&code=29463-7&max=2", f"Observation/$lastn?patient={mine}&category=vital-signs",
             f"Observation/$lastn?patient={theirs}&code=29463-7", f"{theirs}/$everything", f"{theirs}/$summary"]  # fmt: skip
    for name in ("Patient", "Observation", "Condition"):
        paths += [f"{unseen[name]}/$meta", f"{unseen[name]}/$validate"]
    paths.append(f"Encounter/{unseen['Observation'].split('/')[1]}/$everything")
    paths.append(f"Patient/{unseen['Observation'].split('/')[1]}/$everything")
    asked += [("GET", path, None, {}) for path in paths]
    observation = {
        "resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": theirs},
        "id": unseen["Observation"].split("/")[1],
    }  # fmt: skip
    for change in ("$meta-add", "$meta-delete"):
        asked.append(("POST", f"{unseen['Observation']}/{change}", labels, {}))
    for mode in ("update", "delete", "no-action"):
        asked.append(("POST", f"{unseen['Observation']}/$validate?mode={mode}", observation, {}))
    asked.append(("POST", "Observation/$validate?mode=create", observation, {}))
    asked.append(("POST", "Patient/$validate?mode=create", hidden_patient(), {}))


def shapes(
    asked: list[tuple[str, str, Tree | list[Tree] | None, dict[str, str]]], mine: str, unseen: Mapping[str, str]
) -> None:
    """Histories of types and of the base, several types at once, compartments, parts, words and filters.

    Several types are sorted by a moment that no two of them share: equal ones stand in the order of their random ids.
    """
    theirs = unseen["Patient"]
    encounter = f"Encounter/{unseen['Observation'].split('/')[1]}"
    paths = ["_history", "_history?_count=3", "Observation/_history", "Observation/_history?_count=2", "Patient/_history",
             "Communication/_history", "Consent/_history?_count=0", "Observation/_history?_since=2026-01-01",
             "?_type=Patient,Observation&_count=3&_sort=-_lastUpdated", "?_type=Condition,Communication,Consent", f"?_id={theirs.split('/')[1]}",
             f"{mine}/*?_sort=-_lastUpdated", f"{mine}/*?_count=4&_sort=_lastUpdated", f"{theirs}/*", f"{theirs}/Condition", f"{encounter}/Observation",
             f"{encounter}/*", "Observation?_summary=true&_count=2", "Patient?_elements=name", "Patient?_content=GOFF",
             "Condition?_text=x", "Patient?_filter=name co \"goff\"", "Observation?_filter=code eq 29463-7 and date gt 2026-03-02",
             f"Observation?_filter=not (subject eq {theirs})", "Observation?value-quantity=ge1&_sort=-date",
             "Observation?code:not=29463-7", "Observation?performer:missing=true", f"List?_id={unseen['Condition'].split('/')[1]}",
             f"Patient?_id={mine.split('/')[1]}&_revinclude=*", f"Observation?patient={mine}&_revinclude=Observation:focus",
             "Patient?_has:Observation:focus:code=29463-7", f"Observation?patient={mine}&_has:Observation:focus:status=final",
             f"Observation?_list={unseen['Condition'].split('/')[1]}"]  # fmt: skip
    asked += [("GET", path, None, {}) for path in paths]


def patches(asked: list[tuple[str, str, Tree | list[Tree] | None, dict[str, str]]], unseen: Mapping[str, str]) -> None:
    """Patches, and conditional writes whose criteria only somebody else's record satisfies."""
    operation = {"name": "operation", "part": [
        {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Observation.status"},
        {"name": "value", "valueCode": "amended"}]}  # fmt: skip
    patch: Tree = {"resourceType": "Parameters", "parameter": [operation]}
    identifier = f"identifier={LOCAL}|H1"
    asked += [
        ("PATCH", unseen["Observation"], patch, {}),
        ("PATCH", unseen["Observation"], patch, {"if_match": 'W/"1"'}),
        ("PATCH", f"Observation?_id={unseen['Observation'].split('/')[1]}", patch, {}),
        ("PATCH", f"Patient?{identifier}", patch, {}),
        ("DELETE", f"Patient?{identifier}", None, {}),
        ("DELETE", f"Condition?patient={unseen['Patient']}", None, {}),
    ]


Answer = tuple[Any, ...]
"""Method, path or relation, status, headers and body, renamed."""


async def trace(
    territory: Any, caller: Any, asked: list[tuple[str, str, Tree | list[Tree] | None, dict[str, str]]]
) -> AsyncIterator[Answer]:
    """Every answer, and every further page of a search, renamed."""
    rename = Renaming()
    for method, path, body, headers in asked:
        answer = await territory.ask(caller, method, path, body, **headers)
        shown = sorted(rename.header(name, value) for name, value in answer.headers)
        yield method, rename(path.encode()), answer.status, shown, rename(answer.body)
        for relation in ("next",) * 20 + ("previous", "first"):  # to the end, and back
            following = _page(answer.body, relation) if method == "GET" else None
            if following is not None:
                answer = await territory.ask(caller, "GET", following)
                yield "GET", relation.encode(), answer.status, [], rename(answer.body)


def _page(body: bytes, relation: str) -> str | None:
    try:
        links = json.loads(body).get("link", ())
    except ValueError:
        return None
    for link in links:
        if link.get("relation") == relation:
            return str(link["url"]).partition("/fhir")[2].lstrip("/")
    return None
