"""The type AuditEvent: read and searched in the journal, never written through the API."""

from liaison.auth.caller import Caller
from liaison.auth.journal.audit_reader import AuditReader
from liaison.fhir.errors import MethodNotAllowed
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Request
from liaison.services.engine import Engine, Operation


def audit_events(reader: AuditReader) -> Operation:
    """For engine.elsewhere. What it shows is in Answer.disclosed: each reading of the journal is an entry of it."""

    async def answer(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        match where.name:
            case "read":
                return await reader.read(caller, where.id_)
            case "search":
                return await reader.search(caller, request.query)
            case _:
                raise MethodNotAllowed(
                    "AuditEvent is the access journal: it is read and searched, never written.", ("GET", "HEAD")
                )

    return answer
