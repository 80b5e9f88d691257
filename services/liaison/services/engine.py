"""The one door to the record: every FHIR request, from HTTP or from a page, goes through `Engine.handle`.

`request → caller → visible set → store → vault → journal → answer`. No HTTP here, so that pages call it in process and
are filtered and journaled by the same path. When `handle` returns, the journal durably holds the access; when it
cannot, the answer is a 503 without content.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Protocol

from liaison.auth.caller import Caller
from liaison.auth.journal.entry import ASKED, BEGUN, Entry, entries_for
from liaison.auth.sessions import is_alive
from liaison.fhir.definitions import Custom
from liaison.fhir.errors import FhirError, MethodNotAllowed, Unauthorized, Unavailable, UnknownPath
from liaison.fhir.interactions import (
    bundle,
    capabilities,
    create,
    delete,
    history,
    patch,
    read,
    scope,
    search,
    update,
    vread,
)
from liaison.fhir.interactions.applicable import require_applicable
from liaison.fhir.interactions.routing import Route, methods, route
from liaison.fhir.operations.definition import Definition
from liaison.fhir.search.singled import Held, held, left_unnamed
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Request
from liaison.services.api import errors

Operation = Callable[["Engine", Caller, Route, Request], Awaitable[Answer]]
"""An extended operation ($register, $apply…). It calls `engine.perform` or the store, and checks its own scopes."""


def _shows_nothing(answer: Answer) -> bool:
    return (answer.status == 200 and not answer.disclosed) or answer.total == 0


class Journal(Protocol):
    """What the engine asks of the journal: durable when it returns, or it raises."""

    async def record(self, entries: tuple[Entry, ...]) -> None: ...
    async def refused_call(self, request: Request, status: int) -> None: ...


class Engine:
    """Stateless but for what it is opened with; safe for any number of requests at once.

    `operations` are named 'Patient/$register' (on a type), 'PlanDefinition/*/$apply' (on a resource), '$name' (system);
    'Resource' in the place of the type is any type.
    `elsewhere` gives whole types that are not in the record store, such as AuditEvent, to another reader.
    `stated` is what the CapabilityStatement says beyond that; `described` is what operations are called with, by the same
    names.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        base_url: str,
        operations: Mapping[str, Operation],
        elsewhere: Mapping[str, Operation],
        stated: capabilities.Stated | None = None,
        *,
        described: Mapping[str, Definition] | None = None,
        most_deletions: int = 1,
    ) -> None:
        self.store = store
        self.journal = journal
        self.base_url = base_url
        self.operations = operations
        self._elsewhere = elsewhere
        self._stated = stated
        self.described = described or {}
        self._most_deletions = most_deletions

    async def handle(self, caller: Caller, request: Request) -> Answer:
        """The answer, journaled. Never raises: a failure is an answer too."""
        asked, begun = ASKED.set(request), BEGUN.set(monotonic())
        try:
            told: Answer | FhirError
            known: Held = {}
            try:
                answer = told = await self.perform(caller, request)
                known = await self._held(caller, answer)
                if _shows_nothing(answer) and not known:
                    await self._require_alive(caller)
            except Exception as error:  # noqa: BLE001  # whatever happened has one answer, and is journaled
                told = await self._refusal(caller, error)
                answer = errors.answer(told)
                try:
                    known = await self._held(caller, answer)
                except Exception as failure:  # noqa: BLE001  # who it is about cannot be said: no journal, no data
                    return errors.no_journal(failure)
            entries = entries_for(caller, request, told, known)
            if entries:
                try:
                    await self.journal.record(entries)
                except Exception as error:  # noqa: BLE001  # no journal, no data
                    return errors.no_journal(error)
            return answer
        finally:
            ASKED.reset(asked)
            BEGUN.reset(begun)

    async def refused(self, request: Request, error: Exception) -> Answer:
        """The answer to a call without a valid caller. Such calls are counted by address and minute."""
        answer = errors.answer(error)
        try:
            await self.journal.refused_call(request, answer.status)
        except Exception as failure:  # noqa: BLE001  # no journal, no data
            return errors.no_journal(failure)
        return answer

    async def perform(self, caller: Caller, request: Request) -> Answer:
        """The answer without its journal entries: for `handle`, for the entries of a batch, and for operations."""
        where = self._route(request)
        scope.permit(caller, where)
        require_applicable(where, request.query, request.headers)
        other = self._elsewhere.get(where.type_)
        if other is not None and where.name != "operation":
            return await other(self, caller, where, request)
        store, headers = self.store, request.headers
        match where.name:
            case "read":
                return await read.read(store, caller, where.type_, where.id_, headers, request.query, self.base_url)
            case "search":
                return await search.search(store, caller, where, request.query, headers, self.base_url)
            case "vread":
                return await vread.vread(
                    store, caller, where.type_, where.id_, where.version, headers, request.query, self.base_url
                )
            case "history":
                return await history.history(store, caller, where.type_, where.id_, request.query, self.base_url)
            case "history-type":
                return await history.of_type(store, caller, where.type_, request.query, self.base_url)
            case "history-system":
                return await history.of_system(store, caller, request.query, self.base_url)
            case "create":
                return await create.create(store, caller, where.type_, request.body, headers, self.base_url)
            case "update":
                return await update.update(store, caller, where.type_, where.id_, request.body, headers, self.base_url)
            case "conditional-update":
                return await update.conditional(
                    store, caller, where.type_, request.query, request.body, headers, self.base_url
                )
            case "patch":
                return await patch.patch(store, caller, where.type_, where.id_, request.body, headers, self.base_url)
            case "conditional-patch":
                return await patch.conditional(
                    store, caller, where.type_, request.query, request.body, headers, self.base_url
                )
            case "delete":
                return await delete.delete(store, caller, where.type_, where.id_, headers, self.base_url)
            case "conditional-delete":
                most = self._may_delete(caller)
                return await delete.conditional(store, caller, where.type_, request.query, headers, self.base_url, most)
            case "bundle":
                most = self._may_delete(caller)
                return await bundle.bundle(store, caller, request, self.base_url, self.perform, errors.answer, most)
            case "capabilities":
                custom = await self._custom()
                return capabilities.capabilities(
                    self.base_url, self.operations, self._stated, custom=custom, query=request.query, headers=headers
                )
            case "operation":
                return await self._operation(where, request.method)(self, caller, where, request)

    def allowed(self, path: str) -> Sequence[str]:
        """The methods that are served at a path, whatever it may name. Raises UnknownPath or BadRequest for no path."""
        served = methods(path)
        where = route(served[0], path)
        if where.name == "operation":
            definition = self.described.get(self._registered(where))
            return served if definition is None else definition.methods
        if where.type_ in self._elsewhere:
            served = tuple(method for method in served if route(method, path).name in ("read", "search"))
            if not served:
                raise UnknownPath("This path is no FHIR interaction served here.")
        return served

    def _route(self, request: Request) -> Route:
        try:
            return route(request.method, request.path)
        except MethodNotAllowed as error:
            raise MethodNotAllowed(str(error), self.allowed(request.path)) from None

    async def _custom(self) -> Custom:
        """The search parameters added; while the database is out of reach, as last known."""
        try:
            return await self.store.parameters.refreshed()
        except Unavailable:
            return self.store.parameters.known

    def _may_delete(self, caller: Caller) -> int:
        """How many resources one conditional delete may match: several for administrators alone, when it is set so."""
        return self._most_deletions if caller.role_code == "admin" else 1

    async def _refusal(self, caller: Caller, error: Exception) -> FhirError:
        """What the caller is told: 'sign in again' rather than 'nothing here' when the session is over."""
        known = errors.as_fhir(error)
        if known.status in (404, 422):
            try:
                await self._require_alive(caller)
            except Exception as over:  # noqa: BLE001  # it is a refusal all the same
                return errors.as_fhir(over)
        return known

    async def _held(self, caller: Caller, answer: Answer) -> Held:
        """Of the patients whom the answer is about and of whom it shows nothing: those on whom the caller has some right.

        Right is asked of the session in force, so that whoever holds one is signed in."""
        unnamed = left_unnamed(answer)
        return await held(self.store, caller, unnamed) if unnamed and caller.session else {}

    async def _require_alive(self, caller: Caller) -> None:
        """Raises Unauthorized when the session has ended: SQL showed it nothing, and it should know why."""
        if caller.session and not await is_alive(self.store.database.reading, caller.session):
            raise Unauthorized("The session is over. Sign in again.")

    def _operation(self, where: Route, method: str) -> Operation:
        name = self._registered(where)
        if name in self.described:
            self.described[name].require(method)
        return self.operations[name]

    def _registered(self, where: Route) -> str:
        of_any = "Resource" if where.type_ else ""
        for type_ in (where.type_, of_any):
            parts = [type_, "*" if where.id_ else "", f"${where.operation}"]
            name = "/".join(part for part in parts if part)
            if name in self.operations:
                return name
        raise UnknownPath(f"The operation ${where.operation} is not served here.")
