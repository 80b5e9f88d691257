"""The form of a home visit, as a phone holds it and sends it, and what the record holds of it afterwards."""

import base64
import html
import re
from dataclasses import dataclass
from typing import Any

import httpx

from ..running_sandbox import Running
from .conftest import hidden

Tree = dict[str, Any]
Form = dict[str, str | list[str]]
VISIT = "https://liaison.example/fhir/id/visit"
FIRST: Form = {"presence": "present", "general": "usual", "alert": "alert-house", "note": "premier mot"}
SECOND: Form = {
    "presence": "present",
    "general": "worrying",
    "alert": ["alert-chest", "alert-house"],
    "called": "called-15",
    "note": "Elle se tient la poitrine, « là ».",
}
SEVERAL = ("alert", "tasks", "called")
TYPES = ("Encounter", "QuestionnaireResponse", "Observation", "DocumentReference", "Task")


@dataclass
class Opened:
    """A form of the visit, as a phone holds it."""

    sandbox: Running
    browser: httpx.Client
    patient: str
    fields: dict[str, str]

    @property
    def number(self) -> str:
        return self.fields["visit"]

    def send(self, answers: Form, **more: str) -> httpx.Response:
        return self.browser.post(
            f"/visite/{self.patient}", data={**self.fields, **answers, **more}, follow_redirects=True
        )

    def parts(self, who: str = "gp") -> dict[str, Tree]:
        """What the record holds of it, by part."""
        found = {}
        for type_ in TYPES:
            answer = self.sandbox.get(self.sandbox.token(who), f"{type_}?patient={self.patient}&_count=200")
            for entry in answer.json().get("entry", []):
                given = entry["resource"].get("identifier") or []
                for one in given if isinstance(given, list) else [given]:
                    if one.get("system") == VISIT and one["value"].startswith(f"{self.number}#"):
                        found[one["value"].partition("#")[2]] = entry["resource"]
        return found


def opened(sandbox: Running, browser: httpx.Client, patient: str) -> Opened:
    text = browser.get(f"/visite/{patient}").text
    return Opened(
        sandbox,
        browser,
        patient,
        {name: hidden(text, name) for name in ("csrf", "visit", "appointment")} | start_of(text),
    )


def start_of(text: str) -> dict[str, str]:
    return {"start": text.split('id="start"')[1].split('value="')[1].split('"')[0]}


def said(note: Tree) -> str:
    """The words of a note."""
    return base64.b64decode(note["content"][0]["attachment"]["data"]).decode()


def encounter_of(part: Tree) -> str:
    about: Tree = part["context"]["encounter"][0] if part["resourceType"] == "DocumentReference" else part["encounter"]
    return str(about["reference"])


def words(answer: httpx.Response) -> str:
    main = re.search(r"<main.*?</main>", answer.text, re.DOTALL)
    assert main is not None
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", main[0])))


def patient_of(sandbox: Running, key: str = "bpco_03") -> str:
    return next(str(one["id"]) for one in sandbox.known["patients"] if one["key"] == key)


def answered(parts: dict[str, Tree]) -> Form:
    """The answers that the record holds, as they were typed."""
    found: Form = {}
    for item in parts["response"]["item"]:
        given = [
            str(one.get("valueCoding", {}).get("code") or one.get("valueString") or one.get("valueDecimal"))
            for one in item["answer"]
        ]
        found[item["linkId"]] = given if item["linkId"] in SEVERAL else given[0]
    found.pop("start")
    return found


def listed(form: Form) -> Form:
    return {name: [value] if name in SEVERAL and isinstance(value, str) else value for name, value in form.items()}
