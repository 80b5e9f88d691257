"""An import by several processes, each of which reads and stores loads of its own.

Nothing shows that they are several: a load is stored only when no earlier one that is not stored yet could change what it
finds (liaison.services.loading.said). Each transaction is of one process, and holds its part of the ledger: whoever is
killed, what is committed is known, and the rest is done by the next run.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from liaison.services.loading.loader import Progress
from liaison.services.loading.loads import Load, unpacked
from liaison.services.loading.member import Order, Read, Stored, work
from liaison.services.loading.report import Report
from liaison.services.loading.said import Said
from liaison.services.loading.sources import Item

WORTH_BYTES: Final = 4_000_000
"""Below this, starting processes costs more than they save."""

MOST: Final = 4
_LEAVE: Final = 30
"""Seconds that a process may take to end its last transaction."""


class Broken(Exception):
    """A process of the import has ended by itself. The text says what to do."""


def members(files: list[Path]) -> int:
    """How many processes to start for these files; 0: do it here."""
    worth = sum(map(unpacked, files)) > WORTH_BYTES
    return max(2, min(MOST, len(os.sched_getaffinity(0)))) if worth else 0


@dataclass(slots=True, eq=False)
class _Member:
    process: BaseProcess
    pipe: "Connection[Any, Any]"
    number: int = -1
    """Of the load it has."""


@dataclass(slots=True)
class Team:
    """Started, and waiting for its order."""

    _members: list[_Member]
    _told: "asyncio.Queue[tuple[_Member, Any]]" = field(default_factory=asyncio.Queue)
    _said: dict[int, Said | None] = field(default_factory=dict)
    """Of each load that is not stored yet, by its place among all; None while it is being read."""
    _ordered: bool = False

    @classmethod
    @contextlib.contextmanager
    def started(cls, count: int) -> Iterator["Team"]:
        """Processes that end with the block, each after the transaction it is in. To be called before anything is opened: a
        process of one thread is forked, and what it has loaded is not loaded again."""
        forks = threading.active_count() == 1
        context = get_context("fork") if forks else get_context("spawn")
        team = cls([])
        try:
            for _ in range(count):
                here, there = Pipe()
                # What is forked has our ends of the pipes, its own too: a pipe whose end it kept would not end with us.
                ours = [*(member.pipe for member in team._members), here] if forks else []
                process = context.Process(target=work, args=(there, ours), daemon=True)
                process.start()
                there.close()  # so that the pipe ends when the process does
                team._members.append(_Member(process, here))
            yield team
        finally:
            team.close()

    def close(self) -> None:
        """Returns when all have ended, each after the transaction it is in: before the base is stopped that they write to."""
        for member in self._members:
            member.pipe.close()
            if not self._ordered:  # it has done nothing, and may not even have started
                member.process.terminate()
        for member in self._members:
            member.process.join(_LEAVE)
        self._members.clear()

    @property
    def empty(self) -> bool:
        """Whether there is nobody: it is to be done here."""
        return not self._members

    async def load(self, order: Order, loads: Iterator[Load], report: Report, progress: Progress) -> list[Item]:
        """Stores everything that can be, and adds it to the report. Returns, in order, what is to be tried again."""
        loop = asyncio.get_running_loop()
        stored: dict[int, Stored] = {}
        ready: list[_Member] = []
        numbered = enumerate(loads)
        self._ordered = True
        try:
            for member in self._members:
                loop.add_reader(member.pipe.fileno(), self._receive, member)
                member.pipe.send(order)
                await self._give(member, numbered)
            while self._said:
                member, told = await self._told.get()
                if isinstance(told, Read):
                    self._said[member.number] = told.said
                    ready.append(member)
                    report.read += told.resources
                    progress(report.read)
                elif isinstance(told, Stored):
                    del self._said[member.number]
                    stored[member.number] = told
                    await self._give(member, numbered)
                else:
                    raise told
                for waiting in [one for one in ready if self._may_store(one.number)]:
                    ready.remove(waiting)
                    waiting.pipe.send(None)
        finally:
            for member in self._members:
                loop.remove_reader(member.pipe.fileno())
        in_order = [stored[number] for number in sorted(stored)]
        for one in in_order:
            report.add(one.report)
        return [item for one in in_order for item in one.later]

    def _receive(self, member: _Member) -> None:
        try:
            self._told.put_nowait((member, member.pipe.recv()))
        except (EOFError, ConnectionError):
            asyncio.get_running_loop().remove_reader(member.pipe.fileno())
            text = "A process of the import has ended by itself. What is stored stays: run the import again."
            self._told.put_nowait((member, Broken(text)))

    async def _give(self, member: _Member, numbered: Iterator[tuple[int, Load]]) -> None:
        """The next load, if there is one."""
        number, load = await asyncio.to_thread(next, numbered, (-1, None))
        if load is not None:
            member.number = number
            self._said[number] = None
            member.pipe.send(load)

    def _may_store(self, number: int) -> bool:
        """Whether no earlier load could change what this one finds."""
        mine = self._said[number]
        assert mine is not None, "it was read"
        earlier = [other for place, other in self._said.items() if place < number]
        return not any(other is None or mine.meets(other) for other in earlier)
