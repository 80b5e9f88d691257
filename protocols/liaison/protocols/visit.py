"""A home visit: the answers of the form become FHIR resources of the patient's record, in one transaction.

What becomes what is said by the Questionnaire (codes, observationExtract, raises-alert); this module only follows it.
Every entry is conditional on an identifier made from the phone's own UUID, so that a visit sent twice is filed once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from liaison.protocols import codes
from liaison.protocols.alerts import Sign, raise_alert
from liaison.protocols.answers import Answer, Item, items, problems, value_of
from liaison.protocols.library.library import Library

Tree = dict[str, Any]

FORM: Final = f"{codes.LOCAL}/Questionnaire/home-visit"
SYSTEM: Final = f"{codes.LOCAL}/id/visit"
_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


class Invalid(Exception):
    """The answers do not fit the form; `problems` says which, by linkId. The visit itself must still be kept."""

    def __init__(self, found: Mapping[str, str]) -> None:
        self.problems = dict(found)
        super().__init__("; ".join(f"{link}: {text}" for link, text in found.items()))


@dataclass(frozen=True, slots=True)
class Visit:
    """What was declared. `aide` and `service` are References; `device_time` is the phone's clock, kept beside ours."""

    id: UUID
    patient: str
    aide: Tree
    service: Tree
    answers: Mapping[str, Answer]
    recorded: datetime
    appointment: str = ""
    device_time: datetime | None = None
    transcribed_by: Tree | None = None
    teams: Sequence[Tree] = field(default=())


def transaction(library: Library, visit: Visit, *, clinical_decisions: bool = True) -> Tree:
    """The Bundle of one visit: Encounter, QuestionnaireResponse, Observations, the note, and one alert if there is any.

    Raises Invalid. With `clinical_decisions` off, only the aide's own words raise an alert.
    """
    form = library.tree(FORM)
    if found := problems(form, visit.answers):
        raise Invalid(found)
    writer = _Writer(visit)
    encounter = writer.add("encounter", _encounter(visit))
    response = writer.add("response", _response(form, visit, encounter))
    given = [item for item in items(form) if item.link in visit.answers and item.extract]
    for item in given:
        if (observation := _observation(item, visit, encounter, response)) is not None:
            writer.add(item.link, observation)
    words = str(visit.answers.get("note", "")).strip()
    if words:
        writer.add("note", _note(visit, encounter, words))
    signs = [sign for sign in signs_of(form, visit.answers) if sign.own_words or clinical_decisions]
    if signs:
        alert = raise_alert(
            library,
            signs,
            patient=visit.patient,
            teams=visit.teams,
            by=visit.aide,
            at=visit.recorded,
            focus=response,
            encounter=encounter,
            words=words,
        )
        writer.add("alert", alert)
    return writer.bundle()


def signs_of(form: Tree, answers: Mapping[str, Answer]) -> Iterator[Sign]:
    """The answers that raise an alert, in the order of the form."""
    for item in items(form):
        for option in item.chosen(answers.get(item.link)):
            extensions = {extension["url"]: extension for extension in option.get("extension", ())}
            if codes.RAISES in extensions:
                coding = option["valueCoding"]
                own = codes.CLINICAL_DECISION not in extensions
                text = sign_text(None if item.alone else item.text, coding["display"])
                yield Sign(extensions[codes.RAISES]["valueCoding"]["code"], coding, text, own)


def sign_text(question: str | None, answer: str) -> str:
    """The line of an alert that an answer raises: 'Le souffle : essoufflement au repos', or the answer where it says all."""
    return f"{question.rstrip(' ?')} : {answer.lower()}" if question else answer


class _Writer:
    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._entries: list[Tree] = []

    def add(self, name: str, tree: Tree) -> str:
        value = f"{self._visit.id}#{name}"
        identifier = {"system": SYSTEM, "value": value}
        # QuestionnaireResponse.identifier is the only one of these that R4 keeps single.
        tree["identifier"] = identifier if tree["resourceType"] == "QuestionnaireResponse" else [identifier]
        urn = f"urn:uuid:{uuid5(self._visit.id, name)}"
        self._entries.append(
            {
                "fullUrl": urn,
                "resource": tree,
                "request": {
                    "method": "POST",
                    "url": tree["resourceType"],
                    "ifNoneExist": f"identifier={SYSTEM}|{value.replace('#', '%23')}",
                },
            }
        )
        return urn

    def bundle(self) -> Tree:
        return {"resourceType": "Bundle", "type": "transaction", "entry": self._entries}


def is_of(visit: Visit, encounter: Tree) -> bool:
    """Whether an Encounter is the one that this visit was filed as."""
    return any(
        one.get("system") == SYSTEM and str(one.get("value", "")).startswith(f"{visit.id}#")
        for one in encounter.get("identifier", [])
    )


def _period(visit: Visit) -> Tree:
    start = str(visit.answers["start"])
    return {"start": start, "end": str(visit.answers.get("end") or start)}


def _encounter(visit: Visit) -> Tree:
    period = _period(visit)
    tree: Tree = {
        "resourceType": "Encounter",
        "status": "finished" if visit.answers["presence"] == "present" else "cancelled",
        "class": {"system": _ACT_CODE, "code": "HH", "display": "Au domicile"},
        "type": [{"coding": [{"system": codes.HOME_CARE, "code": "visit", "display": "Visite à domicile"}]}],
        "subject": {"reference": visit.patient},
        "participant": [{"period": period, "individual": visit.aide}],
        "period": period,
        "serviceProvider": visit.service,
    }
    if visit.appointment:
        tree["appointment"] = [{"reference": visit.appointment}]
    return tree


def _response(form: Tree, visit: Visit, encounter: str) -> Tree:
    tree: Tree = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": f"{form['url']}|{form['version']}",
        "status": "completed",
        "subject": {"reference": visit.patient},
        "encounter": {"reference": encounter},
        "authored": visit.recorded.isoformat(timespec="seconds"),
        "author": visit.aide,
        "item": [
            {"linkId": item.link, "text": item.text, "answer": item.answer(visit.answers[item.link])}
            for item in items(form)
            if item.link in visit.answers
        ],
    }
    if visit.transcribed_by is not None:
        # Filled on paper, typed in by someone else: both are named.
        tree["author"], tree["source"] = visit.transcribed_by, visit.aide
    if visit.device_time is not None:
        tree["extension"] = [
            {
                "url": f"{codes.LOCAL}/StructureDefinition/device-time",
                "valueDateTime": visit.device_time.isoformat(timespec="seconds"),
            }
        ]
    return tree


def _observation(item: Item, visit: Visit, encounter: str, response: str) -> Tree | None:
    value = value_of(item, visit.answers[item.link])
    if value is None:  # 'Je ne sais pas' is an answer to the form, not a finding about the person.
        return None
    tree: Tree = {
        "resourceType": "Observation",
        "status": "final",
        "category": [item.category],
        "code": {"coding": [*item.codes], "text": item.label},
        "subject": {"reference": visit.patient},
        "encounter": {"reference": encounter},
        "effectiveDateTime": _period(visit)["end"],
        "performer": [visit.aide],
        **value,
        "derivedFrom": [{"reference": response}],
    }
    if item.category["coding"][0]["code"] != "vital-signs":
        # What an aide notices is coordination, not a clinical act: the home service reads it too.
        tree["meta"] = {"security": [{"system": codes.DATA_CLASS, "code": "COORD", "display": "Coordination"}]}
    return tree


def _note(visit: Visit, encounter: str, words: str) -> Tree:
    return {
        "resourceType": "Communication",
        "status": "completed",
        "category": [
            {
                "coding": [{"system": codes.HOME_CARE, "code": "visit-note", "display": "Note de visite"}],
                "text": "Note de visite",
            }
        ],
        "subject": {"reference": visit.patient},
        "encounter": {"reference": encounter},
        "sent": _period(visit)["end"],
        "received": visit.recorded.isoformat(timespec="seconds"),
        "sender": visit.aide,
        "payload": [{"contentString": words}],
    }
