"""Two records of which a nurse sees the same, and in which much refers to items that she does not see: to other ones in each,
to more of them, in other words. What she is told, and what she finds by whatever she asks, is the same."""

from typing import Any
from urllib.parse import quote

Tree = dict[str, Any]
Asked = tuple[str, str, Tree | list[Tree] | None, dict[str, str]]

SECRETS = (("SENS", "718-7", "2026-01-02", "titre positif"), ("PSY", "20152-5", "2026-02-03", "mélancolie, suivie"))
"""By world: of what class the hidden items are, what they are, since when, and in which words; none that closes a report by itself."""
NOW = "2026-03-01T10:00:00Z"


async def record(territory: Any, world: int) -> tuple[Any, Any, list[str], str]:
    """(the nurse, the patient, the hidden items, one that she sees)."""
    nurse = await territory.person("nurse")  # of two, the roles would stand in the order of their random ids
    patient = await territory.patient(nurse, name=[{"family": "VISIBLE"}])
    name, code, day, words = SECRETS[world]
    secret = {
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": day,
        "meta": {"security": territory.classes(name)},
    }
    hidden = [await territory.item(patient, **secret) for _ in range(2 - world)]
    seen = await territory.item(patient, **territory.vital())
    named = [{"reference": one, "display": words} for one in hidden]
    own: Tree = {"subject": {"reference": patient.reference}}
    shown = {"reference": seen, "display": "poids"}
    text = {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{words}</div>'}
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "x"}, **own}
    plan = territory.item_of(patient, "CarePlan")
    trees = [
        {**report, "effectiveDateTime": "2026-03-01", "result": named, "text": text},
        {**report, "effectiveDateTime": "2026-03-02", "result": [*named, shown]},
        {**report, "effectiveDateTime": "2026-03-03", "result": [shown]},
        {**report, "effectiveDateTime": "2026-03-04"},
        {"resourceType": "List", "status": "current", "mode": "working", **own,
         "entry": [{"item": one} for one in (*named, shown)]},
        {"resourceType": "Composition", "status": "final", "type": {"text": "x"}, "date": NOW, "title": "x", **own,
         "author": [{"reference": nurse.role}],
         "section": [{"title": words, "text": text, "entry": named}, {"title": "x", "entry": [shown]}]},
        {**plan, "supportingInfo": named, "activity": [{"outcomeReference": named}]},
        {**territory.item_of(patient, "Task"), "focus": named[0], "reasonReference": named[0]},
        {**territory.item_of(patient, "QuestionnaireResponse"),
         "item": [{"linkId": "1", "answer": [{"valueReference": one} for one in named]}, {"linkId": "2"}]},
        {**territory.item_of(patient), "effectiveDateTime": "2026-03-05", "derivedFrom": named, "hasMember": named},
        {**territory.item_of(patient, "MedicationRequest"), "reasonReference": named, "supportingInformation": named},
        # What is left of it is the same, and where it refers to them is not: whoever finds it by that is told more.
        {**territory.item_of(patient), "effectiveDateTime": "2026-03-06", ("derivedFrom", "hasMember")[world]: named},
    ]  # fmt: skip
    patient.made.update(
        {str(number): await territory.create(territory.system, one) for number, one in enumerate(trees)}
    )
    return nurse, patient, hidden, seen


def requests(patient: Any, hidden: str, seen: str) -> list[Asked]:
    """Whatever may tell: each that refers to an item, on every path, and each way to look for it."""
    made = [one for name, one in patient.made.items() if name.isdecimal()]
    paths = [path for one in made for path in (one, f"{one}/_history/1", f"{one}/_history", f"{one}/$meta")]
    paths += [
        hidden,
        f"{hidden}/_history",
        f"{patient.reference}/$everything",
        f"{patient.reference}/$summary",
        "_history",
        "DiagnosticReport/_history",
    ]
    id_ = hidden.partition("/")[2]
    found = [
        *(f"DiagnosticReport?result={one}" for one in (hidden, id_, seen, f"{hidden},{seen}", f"Observation/{'0' * 32}")),
        "DiagnosticReport?result:missing=true", "DiagnosticReport?result:missing=false",
        "DiagnosticReport?result.code=718-7,20152-5", "DiagnosticReport?result.status=final",
        f"DiagnosticReport?_filter={quote(f'not (result eq {hidden})')}", f"DiagnosticReport?_filter={quote('result pr true')}",
        f"DiagnosticReport?_filter={quote(f'result ne {seen}')}", "DiagnosticReport?_text=positif", "DiagnosticReport?_content=suivie",
        "DiagnosticReport?_include=*", "DiagnosticReport?_include=DiagnosticReport:result", f"List?item={hidden}",
        f"Task?focus={hidden}", f"Composition?entry={hidden}", f"Observation?derived-from={hidden}", f"Observation?_id={id_}",
        f"Observation?has-member={hidden}", f"Observation?_id={id_}&_revinclude=*", "Observation?derived-from:missing=true",
        f"Patient?_has:DiagnosticReport:patient:result={hidden}", "Patient?_has:DiagnosticReport:patient:result:missing=true",
        "Observation?_has:DiagnosticReport:result:status=final", f"CarePlan?_content={quote('mélancolie')}",
    ]  # fmt: skip
    for query in found:
        paths += [query, f"{query}&_total=accurate&_count=1", f"{query}&_summary=count"]
        if query.startswith("DiagnosticReport"):
            paths += [f"{query}&_sort=-date&_count=2", f"{query}&patient={patient.reference}&_total=accurate"]
    paths += [f"DiagnosticReport?patient={patient.reference}&_sort={key},date" for key in ("result", "-result.date")]
    asked: list[Asked] = [("GET", path, None, {}) for path in paths]
    parts = [{"request": {"method": "GET", "url": one}} for one in made]
    asked.append(("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": parts}, {}))
    language: Any = [{"op": "add", "path": "/language", "value": "fr"}]
    whole = {"content_type": "application/json-patch+json", "prefer": "return=representation"}
    asked += [("PATCH", one, language, whole) for one in made if not one.startswith("Composition")]
    for number, operation in (
        (0, {"op": "copy", "from": "/result/0/display", "path": "/code/text"}),
        (0, {"op": "test", "path": "/result/0/reference", "value": hidden}),
        (0, {"op": "copy", "from": "/text/div", "path": "/code/text"}),
        (0, {"op": "remove", "path": "/result"}),
        (1, {"op": "replace", "path": "/result/0/display", "value": "x"}),
        (1, {"op": "replace", "path": "/result/1/display", "value": "x"}),
    ):
        asked.append(("PATCH", made[number], [operation], whole))
    bare = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "x"},
            "subject": {"reference": patient.reference}}  # fmt: skip
    asked.append(("POST", "DiagnosticReport", {**bare, "result": [{"reference": hidden}]}, {}))
    asked.append(("POST", "DiagnosticReport", bare, {"if_none_exist": f"result={hidden}"}))
    return asked
