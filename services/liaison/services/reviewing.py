"""`Task/[id]/$review`: the outcome of the review of an emergency access or of an entry into a team.

Its rules: liaison.auth.access.reviews. `If-Match` is honoured; without it the version just read is meant.
"""

from liaison.auth.access import reviews
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event
from liaison.fhir import model
from liaison.fhir.interactions import scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Request
from liaison.services.engine import Engine
from liaison.services.operation_definitions import REVIEW
from liaison.services.parameters import Given, posted_to
from liaison.services.way_in import journaled


async def review(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
    """200 with the task as it is now."""
    reviews.permit(caller)
    scope.permit_letter(caller, "r", "Task")
    task = posted_to(engine.store, "Task", where, request)
    given = Given(request, REVIEW)
    outcome, note = given.code("outcome"), given.text("note")
    match = request.headers.get("if-match", "")
    tree = await reviews.review(engine.store, caller, task, outcome, note, engine.base_url, if_match=match)
    subject = str((tree.get("for") or {}).get("reference", ""))
    await journaled(engine, caller, Event.OPERATION, subject, request, f"review: {outcome}")
    return Answer(200, model.dump(tree))
