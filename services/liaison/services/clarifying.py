"""« À éclaircir » as FHIR operations. Their rules: liaison.auth.access.clarifying.

* `Task/$asked-of-me`: the accesses of the caller that a reviewer asks about.
* `Task/[id]/$clarify`: the answer.
"""

import orjson

from liaison.auth.access import clarifying, vocabulary
from liaison.auth.access.facts.reading import codes
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event
from liaison.fhir.errors import MethodNotAllowed
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Request, Tree
from liaison.services.engine import Engine
from liaison.services.operation_definitions import CLARIFY
from liaison.services.parameters import Given, posted_to
from liaison.services.way_in import journaled


async def asked_of_me(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with a part `question` for each; none is an empty Parameters. Each is journaled before the answer leaves."""
    if request.method != "POST":
        raise MethodNotAllowed("Call this operation with POST.", ("POST",))
    scope.permit_letter(caller, "r", "Task")
    tasks = await clarifying.asked_of(engine.store, caller, engine.base_url)
    for task in tasks:
        await journaled(engine, caller, Event.OPERATION, _subject(task), request, "review: question")
    return Answer(200, orjson.dumps({"resourceType": "Parameters", "parameter": [_question(task) for task in tasks]}))


async def clarify(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the question and the answer; 404 for what is not asked of the caller."""
    scope.permit_letter(caller, "u", "Task")
    task = posted_to(engine.store, "Task", where, request)
    text = Given(request, CLARIFY).text("answer")
    tree = await clarifying.answer(engine.store, caller, task, text, engine.base_url)
    await journaled(engine, caller, Event.OPERATION, _subject(tree), request, "review: answer")
    return Answer(200, orjson.dumps({"resourceType": "Parameters", "parameter": [_question(tree)]}))


def _question(task: Tree) -> Tree:
    """Which access, and what was written about it. Not whose record: the access to it is over."""
    kind = next(iter(codes(task.get("code"), vocabulary.REVIEW)), "")
    reason = (task.get("reasonCode") or {}).get("text") or task.get("description")
    parts: list[Tree] = [
        {"name": "task", "valueReference": {"reference": f"Task/{task['id']}"}},
        {"name": "kind", "valueCode": kind},
        {"name": "opened", "valueDateTime": task["authoredOn"]},
        *([{"name": "reason", "valueString": reason}] if reason else []),
        *({"name": "note", "valueAnnotation": note} for note in task.get("note") or ()),
    ]
    return {"name": "question", "part": parts}


def _subject(task: Tree) -> str:
    return str((task.get("for") or {}).get("reference", ""))
