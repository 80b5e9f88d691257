"""Opening an app on a record (SMART EHR launch): from our own pages, or as the operation `Patient/[id]/$launch`.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch

Whoever launches must see all that the app is launched on; whoever comes back with the handle must be the same person.
"""

from datetime import timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson

from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event
from liaison.auth.oauth2 import clients
from liaison.auth.smart import launch
from liaison.auth.smart.launch import LaunchContext, LaunchProblem
from liaison.fhir.errors import BadRequest, Forbidden, NotFound, Unprocessable
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Request
from liaison.services.engine import Engine
from liaison.services.operation_definitions import LAUNCH
from liaison.services.pages.record import Record
from liaison.services.parameters import Given
from liaison.services.way_in import journaled


class Target(NamedTuple):
    """What is launched: an app that is registered, or this service's own desk."""

    number: int
    client_id: str
    launch_url: str


DESK: Final = Target(0, clients.OURS, "/ouvrir")
"""The clinicians' desk: no registered client has the number 0. Its address is below the public one."""


class Launched(NamedTuple):
    """The address to send the person's browser to, and the handle in it."""

    address: str
    handle: str


async def launch_app(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with `url`, where to send the person's browser, `launch`, the handle in it, and `until`."""
    scope.permit_letter(caller, "r", "Patient")
    given = Given(request, LAUNCH)
    if not given.text("client"):
        raise BadRequest("client is required: the app's client_id.", "Parameters.parameter.where(name='client')")
    encounters = given.references("encounter")
    if len(encounters) > 1 or any(not one.startswith("Encounter/") for one in encounters):
        raise BadRequest("encounter is one Encounter/[id].", "Parameters.parameter.where(name='encounter')")
    context = LaunchContext(
        patient=where.id_,
        encounter=encounters[0].removeprefix("Encounter/") if encounters else "",
        intent=given.code("intent"),
        references=tuple(given.references("context")),
        banner=given.flag("need-patient-banner") if given.has("need-patient-banner") else True,
    )
    made = await opened(engine, caller, given.text("client"), context, request)
    until = engine.store.database.clock.now() + timedelta(seconds=launch.LIFETIME)
    parameter = [
        {"name": "url", "valueUrl": made.address},
        {"name": "launch", "valueString": made.handle},
        {"name": "until", "valueInstant": until.isoformat(timespec="seconds")},
    ]
    return Answer(200, orjson.dumps({"resourceType": "Parameters", "parameter": parameter}))


async def opened(engine: Engine, caller: Caller, client_id: str, context: LaunchContext, request: Request) -> Launched:
    """Raises NotFound for a patient or an encounter that the caller does not see, Unprocessable for an app that is not
    opened from here, an encounter of another patient or a context that cannot be handed over, Forbidden for software on
    its own."""
    if not caller.account:
        raise Forbidden("A person launches an app; software on its own cannot.")
    client = await _app(engine, client_id)
    try:
        context.checked()
    except LaunchProblem as problem:
        raise Unprocessable(str(problem), "Parameters.parameter") from None
    record = Record(engine, caller, request.address, request.request_id)
    named = [f"Patient/{context.patient}"]
    if context.encounter:
        named.append(f"Encounter/{context.encounter}")
    for reference in named:
        tree = await record.read(reference)
        if tree is None:
            raise NotFound
        if reference == f"Encounter/{context.encounter}" and not _is_of(tree, context.patient):
            raise Unprocessable(
                "The encounter is of another patient than the launch.", "Parameters.parameter.where(name='encounter')"
            )
    for reference in context.references:
        if not _about(engine, reference, context.patient) or await record.read(reference) is None:
            # One text for what is not there, what is hidden, and what is of somebody else.
            raise Unprocessable(
                "A context of the launch is no resource of this patient, nor of the directory.",
                "Parameters.parameter.where(name='context')",
            )
    await journaled(engine, caller, Event.TOKEN, f"Patient/{context.patient}", request, f"launch: {client.client_id}")
    handle = await launch.issue(
        engine.store.database.writing, client=client.number, account=caller.account, context=context
    )
    return Launched(_address(client.launch_url, engine.base_url, handle), handle)


def _about(engine: Engine, reference: str, patient: str) -> bool:
    """Whether it stands in this patient's record, or in none, as the directory does."""
    whose, key = engine.store.key("Patient", patient), engine.store.key(*reference.split("/", 1))
    return whose is not None and key is not None and key.patient in (0, whose.patient)


def _is_of(encounter: dict[str, Any], patient: str) -> bool:
    whose = str(encounter.get("subject", {}).get("reference", ""))
    return whose.split("/")[-2:] == ["Patient", patient]


async def _app(engine: Engine, client_id: str) -> Target:
    if client_id == DESK.client_id:
        return DESK._replace(launch_url=engine.base_url.removesuffix("/fhir") + DESK.launch_url)
    client = await clients.find(engine.store.database.reading, client_id)
    if client is None or not client.launch_url:
        raise Unprocessable(
            "No app of this name is opened from a record here.", "Parameters.parameter.where(name='client')"
        )
    return Target(client.number, client.client_id, client.launch_url)


def _address(launch_url: str, fhir_base: str, handle: str) -> str:
    parts = urlsplit(launch_url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("iss", fhir_base), ("launch", handle)]
    return urlunsplit(parts._replace(query=urlencode(query)))
