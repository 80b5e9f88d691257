"""A home visit: the answers of the form become FHIR resources of the patient's record, in one transaction.

What becomes what is said by the Questionnaire (codes, observationExtract, raises-alert); this module only follows it.
Every entry is conditional on an identifier made from the phone's own UUID, so that a visit sent twice is filed once. A
visit that its author corrects is told anew over what was recorded of it (amending.py says when that may be).
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from liaison.protocols import codes, staying
from liaison.protocols.alerts import Sign, corrected, raise_alert
from liaison.protocols.answers import Answer, Item, items, problems, responded, value_of
from liaison.protocols.filing import Filing
from liaison.protocols.forms import FORM, form_of
from liaison.protocols.library.library import Library

Tree = dict[str, Any]

_ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_DATA_OPERATION: Final = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
_PARTICIPANT: Final = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


class Invalid(Exception):
    """The answers do not fit the form; `problems` says which, by linkId. The visit itself must still be kept."""

    def __init__(self, found: Mapping[str, str]) -> None:
        self.problems = dict(found)
        super().__init__("; ".join(f"{link}: {text}" for link, text in found.items()))


@dataclass(frozen=True, slots=True)
class Visit:
    """What was declared. `asked`: the form that was filled in (canonical with its version; '' for the daily one as it is shipped). `transcribed_by` typed it in for her, from `paper` or from the tray. `aide` and `service` are References; `device_time` is the phone's clock, kept beside ours."""

    id: UUID
    patient: str
    aide: Tree
    service: Tree
    answers: Mapping[str, Answer]
    recorded: datetime
    appointment: str = ""
    device_time: datetime | None = None
    transcribed_by: Tree | None = None
    paper: bool = False
    teams: Sequence[Tree] = field(default=())
    asked: str = ""


PAPER: Final = f"{codes.LOCAL}/StructureDefinition/transcribed-from-paper"
"""On the QuestionnaireResponse of a visit that was written on paper and typed in later."""
NOTHING: Final[Mapping[str, Tree]] = MappingProxyType({})


def transaction(
    library: Library, visit: Visit, *, clinical_decisions: bool = True, recorded: Mapping[str, Tree] = NOTHING
) -> Tree:
    """The Bundle of one visit: Encounter, QuestionnaireResponse, Observations, the note, one alert if there is any, and the
    Provenance of what it files or changes.

    `recorded`: what the record holds of this visit already, by part. What says the same is left alone, what changed is
    replaced, what is no longer said is entered in error; an alert is told anew and never lowered. No entry: all the same.

    Raises Invalid. With `clinical_decisions` off, only the aide's own words raise an alert.
    """
    form = form_of(library, visit.asked)
    if found := problems(form, visit.answers):
        raise Invalid(found)
    writer = Filing(visit.id, recorded)
    encounter = writer.add("encounter", _encounter(visit))
    response = writer.add("response", _response(form, visit, encounter))
    for name, tree in _told(form, visit, encounter, response):
        writer.add(name, tree)
    words = _words(visit)
    signs = [sign for sign in signs_of(form, visit.answers) if sign.own_words or clinical_decisions]
    alert = _alert(library, visit, signs, response, encounter, words) if signs else None
    if raised := recorded.get("alert"):
        alert = corrected(raised, alert, visit.aide, visit.recorded)
    if alert is not None:
        writer.add("alert", alert)
    return writer.bundle(_provenance(visit, "UPDATE" if recorded else "CREATE"))


def addition(library: Library, visit: Visit, encounter: str, words: str, told: Mapping[str, Answer]) -> Tree:
    """The Bundle of what is added to a recorded visit that is not corrected any more: a note with these words, and an
    alert for the signs that its answers, `told`, had not raised. `visit` has a number of its own."""
    writer = Filing(visit.id, NOTHING)
    writer.add("note", _note(visit, encounter, words))
    form = form_of(library, visit.asked)
    known = [sign.coding for sign in signs_of(form, told)]
    if signs := [sign for sign in signs_of(form, visit.answers) if sign.coding not in known]:
        writer.add("alert", _alert(library, visit, signs, "", encounter, _words(visit)))
    return writer.bundle(_provenance(visit, "CREATE"))


def home_again(library: Library, visit: Visit) -> Tree:
    """The Bundle of « Sorti(e) », told without a visit at the hour of `start`: the one finding that the daily form has for it."""
    item = next(one for one in items(library.tree(FORM)) if one.link == staying.HOSPITAL)
    writer = Filing(visit.id, NOTHING)
    writer.add("home-again", _finding(item, visit, value_of(item, staying.DISCHARGED) or {}))
    return writer.bundle(_provenance(visit, "CREATE"))


def _alert(library: Library, visit: Visit, signs: Sequence[Sign], response: str, encounter: str, words: str) -> Tree:
    return raise_alert(
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


def parts(form: Tree, visit: Visit, encounter: str, response: str) -> dict[str, Tree]:
    """What a recorded visit is filed as, by part, when it has these references; the alert apart, which others answer."""
    made = {"encounter": _encounter(visit), "response": _response(form, visit, encounter)}
    return made | dict(_told(form, visit, encounter, response))


def _told(form: Tree, visit: Visit, encounter: str, response: str) -> Iterator[tuple[str, Tree]]:
    for item in items(form):
        if item.link in visit.answers and item.extract:
            observation = _observation(item, visit, encounter, response)
            if observation is not None:
                yield item.link, observation
    if words := _words(visit):
        yield "note", _note(visit, encounter, words)


def _words(visit: Visit) -> str:
    return str(visit.answers.get("note", "")).strip()


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


def _period(visit: Visit) -> Tree:
    start = str(visit.answers["start"])
    return {"start": start, "end": str(visit.answers.get("end") or start)}


def _encounter(visit: Visit) -> Tree:
    period = _period(visit)
    tree: Tree = {
        "resourceType": "Encounter",
        "status": "finished" if visit.answers["presence"] == "present" else "cancelled",
        "class": {"system": _ACT_CODE, "code": "HH", "display": "Au domicile"},
        "meta": {"profile": [codes.HOME_EVENT]},
        "type": [
            {"coding": [{"system": codes.HOME_CARE, "code": "visit", "display": "Visite à domicile"}]},
            codes.OTHER_EVENT | {"text": "Visite à domicile"},
        ],
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
        "item": responded(form, visit.answers),
    }
    if visit.transcribed_by is not None:
        # Filled on paper, typed in by someone else: both are named.
        tree["author"], tree["source"] = visit.transcribed_by, visit.aide
    extensions: list[Tree] = []
    if visit.device_time is not None:
        moment = visit.device_time.isoformat(timespec="seconds")
        extensions.append({"url": f"{codes.LOCAL}/StructureDefinition/device-time", "valueDateTime": moment})
    if visit.paper:
        extensions.append({"url": PAPER, "valueBoolean": True})
    if extensions:
        tree["extension"] = extensions
    return tree


def _observation(item: Item, visit: Visit, encounter: str, response: str) -> Tree | None:
    value = value_of(item, visit.answers[item.link])
    if value is None:  # 'Je ne sais pas' is an answer to the form, not a finding about the person.
        return None
    found = _finding(item, visit, value)
    return {**found, "encounter": {"reference": encounter}, "derivedFrom": [{"reference": response}]}


def _finding(item: Item, visit: Visit, value: Tree) -> Tree:
    tree: Tree = {
        "resourceType": "Observation",
        "status": "final",
        "category": [item.category],
        "code": {"coding": [*item.codes], "text": item.label},
        "subject": {"reference": visit.patient},
        "effectiveDateTime": _period(visit)["end"],
        "performer": [visit.aide],
        **value,
    }
    if item.profile:
        tree["meta"] = {"profile": [item.profile]}
    if item.category["coding"][0]["code"] != "vital-signs":
        # What an aide notices is coordination, not a clinical act: the home service reads it too.
        tree["meta"] = {"security": [{"system": codes.DATA_CLASS, "code": "COORD", "display": "Coordination"}]}
    return tree


def _note(visit: Visit, encounter: str, words: str) -> Tree:
    """The note of the cahier de liaison (ANS, cdl-document-reference): its words as an attachment, its visibility as the one
    security label; docStatus, custodian and authenticator are forbidden there."""
    written = _period(visit)["end"]
    return {
        "resourceType": "DocumentReference",
        "meta": {"profile": [codes.LIAISON_NOTE]},
        "status": "current",
        "type": {
            "coding": [
                {"system": codes.NOTE_TYPE, "code": "INTERV", "display": "Note d'intervention"},
                {"system": codes.HOME_CARE, "code": "visit-note", "display": "Note de visite"},
            ],
            "text": "Note de visite",
        },
        "subject": {"reference": visit.patient},
        "date": written,
        "author": [visit.aide],
        "securityLabel": [{"coding": [{"system": codes.DOCUMENT_VISIBILITY, "code": "N", "display": "Normal"}]}],
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain",
                    "language": "fr-FR",
                    "data": b64encode(words.encode()).decode(),
                    "title": "Note de visite",
                    "creation": written,
                }
            }
        ],
        "context": {"encounter": [{"reference": encounter}], "period": _period(visit)},
    }


def _provenance(visit: Visit, activity: str) -> Tree:
    """Who told it and who typed it in; when, by the telephone's clock (`occurred`) and by ours (`recorded`)."""
    agents: list[Tree] = [{"type": _agent("author", "Auteur"), "who": visit.aide, "onBehalfOf": visit.service}]
    if visit.transcribed_by is not None:
        agents.append({"type": _agent("enterer", "Saisie"), "who": visit.transcribed_by, "onBehalfOf": visit.service})
    if not visit.service:
        for agent in agents:
            del agent["onBehalfOf"]
    return {
        "resourceType": "Provenance",
        "occurredDateTime": (visit.device_time or visit.recorded).isoformat(timespec="seconds"),
        "recorded": visit.recorded.isoformat(timespec="seconds"),
        "activity": {"coding": [{"system": _DATA_OPERATION, "code": activity}]} | _from_paper(visit),
        "agent": agents,
    }


def _from_paper(visit: Visit) -> Tree:
    return {"text": "Transcrit du papier"} if visit.paper else {}


def _agent(code: str, display: str) -> Tree:
    return {"coding": [{"system": _PARTICIPANT, "code": code, "display": display}]}
