"""Whom and what an authorization is about: what a launch says, else what the person has chosen, else the page that asks."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Self

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.oauth2.errors import AccessDenied
from liaison.auth.oauth2.rfc6749.authorization_request import Answerable
from liaison.auth.smart.launch import LaunchContext
from liaison.services.oauth import asking, encounters, patients
from liaison.services.oauth.asking import Asking
from liaison.services.oauth.encounters import Visit
from liaison.services.oauth.patients import Choice


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the person's form says, as it came. `name` and `until` are what to look for; `empty`: they went on without
    answering."""

    patient: str = ""
    encounter: str = ""
    name: str = ""
    until: str = ""
    empty: bool = False

    @classmethod
    def of(cls, form: FormData) -> Self:
        said = {
            name: str(form.get(name, "")).strip()[:100] for name in ("patient", "encounter", "name", "until", "step")
        }
        looking, going_on = (form.get("decision") == one for one in ("search", "choose"))
        answered = said["encounter" if said["step"] == "encounter" else "patient"]
        return cls(
            patient=said["patient"],
            encounter=said["encounter"],
            name=said["name"] if looking else "",
            until=said["until"] if looking else "",
            empty=going_on and not answered,
        )


class Subject(NamedTuple):
    """None for what the software asks nothing about."""

    patient: Choice | None = None
    encounter: Visit | None = None


async def settled(request: Request, about: Asking, context: LaunchContext, chosen: Chosen) -> Subject | Response:
    """The patient, then the encounter; or the page on which the one that is not yet clear is chosen.

    Raises Answerable when there is nobody to choose."""
    patient = await _patient(request, about, context, chosen)
    if patient is None or isinstance(patient, Response):
        return Subject() if patient is None else patient
    caller = about.browser.caller
    if context.encounter:
        return Subject(patient, await encounters.named(request, caller, patient.id_, context.encounter))
    if not encounters.needed(about.asked.scopes, context) or chosen.encounter == encounters.NONE:
        return Subject(patient)
    one = await encounters.named(request, caller, patient.id_, chosen.encounter) if chosen.encounter else None
    if one is not None:
        return Subject(patient, one)
    try:
        until = date.fromisoformat(chosen.until) if chosen.until else None
    except ValueError:
        return asking.which(request, about, patient, None, chosen.until, empty=False)
    offered = await encounters.choices(request, caller, patient.id_, until)
    return asking.which(request, about, patient, offered, chosen.until, empty=chosen.empty or bool(chosen.encounter))


async def _patient(request: Request, about: Asking, context: LaunchContext, chosen: Chosen) -> Choice | Response | None:
    asked, browser = about.asked, about.browser
    if context.patient:
        return await patients.named(request, browser.caller, context.patient)
    if not asking.needs_patient(asked.scopes):
        return None
    one = await patients.named(request, browser.caller, chosen.patient) if chosen.patient else None
    if one is not None:
        return one
    offered = await patients.choices(request, browser, chosen.name)
    if not offered.patients and not offered.more and not chosen.name:
        denied = AccessDenied("There is no patient to put in context.")
        raise Answerable(denied, asked.redirect_uri, asked.state)
    # Whom they chose is not to be chosen: said like no choice, so that nothing is told of who exists.
    refused = chosen.empty or bool(chosen.patient)
    if len(offered.patients) != 1 or offered.more or chosen.name or refused:
        return asking.whom(request, about, offered, chosen.name, empty=refused)
    return offered.patients[0]
