"""Le journal est-il intact ? The verdict first, then what it covers, and the proofs that are checked elsewhere.

A journal of some thousand entries is read whole while one waits. A longer one is looked at (the last signed checkpoint is
that of the tree and contains the one kept elsewhere) beside the verdict of the last complete verification, which a worker
makes each day and when it is asked for here.
"""

import asyncio
import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from liaison.auth.journal import proof, verdicts
from liaison.auth.journal.acts import Act
from liaison.auth.journal.audit_event import identifier, place
from liaison.auth.journal.checkpoint import Checkpoint
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.glance import glance
from liaison.auth.journal.live import Live, handovers
from liaison.auth.journal.proof import NoProof
from liaison.auth.journal.tiles import MissingTile
from liaison.auth.journal.verify import Broken, verify
from liaison.fhir.errors import NotFound
from liaison.services.custody import outside
from liaison.services.pages.audit.broken_said import what_said, where_said
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine, render
from liaison.services.pages.marking import _
from liaison.services.pages.signed_in import signed_in

AT_ONCE: Final = 10_000
"""Entries that are read one by one while somebody waits: less than a second."""
_PATH: Final = "/journal/integrite"


@dataclass(frozen=True, slots=True)
class Found:
    """What the page says. `read` entries were read one by one, at `read_at` (None: now)."""

    whole: bool
    where: str = ""
    what: str = ""
    at: Checkpoint | None = None
    signed_at: datetime | None = None
    held: Checkpoint | None = None
    read: int = 0
    read_at: datetime | None = None
    pending: bool = False
    now: bool = False
    reached: int = 0  # of a journal that is not whole: so many lines are those that were signed

    @property
    def since(self) -> int:
        """Lines that were written after those that were read one by one."""
        return 0 if self.now or self.at is None else max(0, self.at.size - self.read)


async def integrity(request: Request) -> Response:
    caller, _me = await signed_in(request)
    house = request.app.state.house
    if request.method == "POST":
        await house.journal.record([entry(caller, Event.JOURNAL_READ, detail={"act": Act.VERIFIED, "verify": 2})])
        await verdicts.ask(house.database.writing)
        return RedirectResponse(_PATH, status_code=303)
    await house.journal.record([entry(caller, Event.JOURNAL_READ, detail={"act": Act.VERIFIED, "verify": 1})])
    return await _page(request)


async def _page(request: Request, error: str = "", given: str = "", status: int = 200) -> Response:
    found = await _found(request.app.state.house)
    gettext = translations(language_of(request)).gettext
    return render(
        request,
        "audit/integrity.html",
        status=status,
        found=found,
        where=where_said(found.where, gettext),
        what=what_said(found.what, gettext),
        error=error,
        given=given,
        folder=shlex.quote(str(request.app.state.house.settings.data.absolute())),
    )


async def _found(house: Any) -> Found:
    held = await asyncio.to_thread(outside.checkpoints, house.settings.outside_folder)
    key = house.journal_keys.signer.verifier
    known = await verdicts.latest(house.database.reading, house.vault)
    async with (
        house.database.reading.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        try:
            seen = await glance(connection, key, held)
            if seen.at is None or seen.at.size <= AT_ONCE:
                verdict = await verify(Live(connection), key, house.journal_keys, held)
                return Found(
                    True, at=verdict.at, signed_at=seen.signed_at, held=seen.held, read=verdict.entries, now=True
                )
        except Broken as broken:
            return Found(False, broken.where, broken.what, reached=broken.reached)
    told = known.told
    if told is not None and told.where:
        return Found(False, told.where, told.what, read_at=known.made_at, pending=known.pending)
    pending = known.pending or told is None
    read, read_at = (told.size, known.made_at) if told else (0, None)
    return Found(
        True, at=seen.at, signed_at=seen.signed_at, held=seen.held, read=read, read_at=read_at, pending=pending
    )


async def line(request: Request) -> Response:
    """The proof of one line that the reader may see, by its AuditEvent or its position."""
    caller, _me = await signed_in(request)
    house = request.app.state.house
    given = request.query_params.get("ligne", "").strip().removeprefix("AuditEvent/")
    gettext = translations(language_of(request)).gettext
    try:
        where = await _place(house, given)
        if where is None:
            return await _page(
                request, gettext(_("Donnez le numéro d'une ligne, ou l'identifiant d'un AuditEvent.")), given, 400
            )
        id_ = identifier(*where)
        shown = await house.audit.read(caller, id_)  # NotFound for a line that is not theirs to see
        about = shown.disclosed[0].key.patient
        await house.journal.record(
            [entry(caller, Event.JOURNAL_READ, patient=about, detail={"act": Act.PROVEN, "prove": id_})]
        )
        async with (
            house.database.reading.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            found = await proof.of_entry(connection, *where)
    except (NotFound, NoProof):
        return await _page(
            request, gettext(_("Aucune ligne prouvée ne porte ce numéro, ou elle ne vous est pas ouverte.")), given, 404
        )
    except MissingTile:
        return await _page(request, gettext(_("Les empreintes gardées ne suffisent plus à la preuve.")), given, 409)
    return _file(request, found.text(), f"ligne-{found.position}.tlog-proof")


async def _place(house: Any, given: str) -> tuple[int, int] | None:
    if not (given.isascii() and given.isdecimal() and len(given) < 16):
        return place(given)
    row = await house.database.reading.fetchrow(
        "select worker, sequence from journal_position where position = $1", int(given)
    )
    if row is None:
        raise NotFound
    return row["worker"], row["sequence"]


async def checkpoint(request: Request) -> Response:
    """The last signed checkpoint, for whoever keeps it."""
    await signed_in(request)
    try:
        size, note = await proof.last(request.app.state.house.database.reading)
    except NoProof:
        raise NotFound from None
    return _file(request, note, f"journal-{size}.checkpoint")


async def key(request: Request) -> Response:
    """The public key, as `liaison journal key` prints it."""
    await signed_in(request)
    house = request.app.state.house
    notes = await handovers(house.database.reading)
    text = "\n".join([str(house.journal_keys.signer.verifier), *(f"\n{one}" for one in notes)])
    return _file(request, f"{text.rstrip()}\n", "journal.key")


def _file(request: Request, text: str, name: str) -> Response:
    answer = PlainTextResponse(text)
    answer.headers["content-disposition"] = f'attachment; filename="{name}"'
    return confine(request, answer)
