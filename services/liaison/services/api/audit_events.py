"""The type AuditEvent: read and searched in the journal, never written through the API."""

from typing import Final
from urllib.parse import urlencode

from liaison.auth.caller import Caller
from liaison.auth.journal.audit_event import PROFILE
from liaison.auth.journal.audit_reader import AuditReader
from liaison.auth.journal.audit_search import PARAMETERS
from liaison.fhir.definitions import compartment, search_parameters
from liaison.fhir.errors import BadRequest, MethodNotAllowed, UnknownPath
from liaison.fhir.interactions.capabilities import Elsewhere
from liaison.fhir.interactions.read import asked_for
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store.contract import Answer, Request
from liaison.services.engine import Engine, Operation

_OF_R4: Final = search_parameters("AuditEvent")
_OWN: Final = {"period-start": "date", "purpose": "token"}
"""Not of R4: the ANS's guide to traces asks for the first; auditors ask for emergency accesses by the second."""
_DEFINED: Final = (
    ("period-start", "https://interop.esante.gouv.fr/ig/fhir/tde/SearchParameter/TDE-AuditEvent-period-start"),
)
SERVED: Final = Elsewhere(
    ("read", "search-type"),
    tuple((code, _OF_R4[code].type if code in _OF_R4 else _OWN[code]) for code in (*PARAMETERS, "_id")),
    _DEFINED,
    (PROFILE,),
)
"""What the CapabilityStatement says of it."""


def _within(where: Route, query: str) -> str:
    """The query, held to the compartment of the path by R4's parameter for it (Patient/[id]/AuditEvent: patient)."""
    owner, _, _ = where.compartment.partition("/")
    if not owner:
        return query
    parameters = compartment(owner).get("AuditEvent", ())
    if not parameters:
        raise BadRequest(f"AuditEvent is not in the compartment of a {owner}.")
    return "&".join(part for part in (query, urlencode({parameters[0]: where.compartment})) if part)


def audit_events(reader: AuditReader) -> Operation:
    """For engine.elsewhere. What it shows is in Answer.disclosed: each reading of the journal is an entry of it."""

    async def answer(engine: Engine, caller: Caller, where: Route, request: Request) -> Answer:
        match where.name:
            case "read":
                wanted = asked_for(request.query, request.headers, where.type_)
                found = await reader.read(caller, where.id_)
                return found if wanted is None else found._replace(body=wanted.of(found.body, where.type_))
            case "search":
                return await reader.search(caller, _within(where, request.query))
            case "vread" | "history" | "history-type":
                raise UnknownPath("An entry of the access journal has no versions: it never changes.")
            case _:
                raise MethodNotAllowed(
                    "AuditEvent is the access journal: it is read and searched, never written.", ("GET", "HEAD")
                )

    return answer
