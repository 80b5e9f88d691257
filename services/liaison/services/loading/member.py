"""One process of an import: it reads and validates a load, says what is in it, waits for its turn, and stores it."""

import asyncio
import signal
from collections.abc import Iterable
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from liaison.auth.caller import Caller
from liaison.services import memory
from liaison.services.house import House
from liaison.services.loading.alone import writing
from liaison.services.loading.loader import Loader
from liaison.services.loading.loads import Load
from liaison.services.loading.report import Report
from liaison.services.loading.said import Said, said
from liaison.services.loading.sources import Item, merged, read_part
from liaison.services.settings import Settings


class Order(NamedTuple):
    """What it needs to know before the first load."""

    settings: Settings
    caller: Caller
    source: str
    logical: bool


class Read(NamedTuple):
    """A load is read: so many resources, and what they make and ask for. It is stored at the next word."""

    resources: int
    said: Said


class Stored(NamedTuple):
    """What became of a load, and what of it is to be tried again at the end."""

    report: Report
    later: list[Item]


def work(pipe: "Connection[Any, Any]", others: Iterable["Connection[Any, Any]"] = ()) -> None:
    """Until the other end of the pipe closes; `others` are no business of this process, and are closed. Receives an Order, then loads, each followed by the word to store it. Sends
    Read and Stored for each, or the error that ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the first process, which closes the pipe.
    for one in others:
        one.close()
    try:
        asyncio.run(_work(pipe))
    except (EOFError, ConnectionError):
        pass  # nobody waits for an answer any more
    except Exception as error:  # noqa: BLE001  # it is raised where the import was started
        pipe.send(error)


async def _work(pipe: "Connection[Any, Any]") -> None:
    order: Order = await asyncio.to_thread(pipe.recv)
    async with House.opened(order.settings) as house, writing(house.database.url, order.source):
        base_url = order.settings.fhir_base
        loader = Loader(house.store, order.caller, base_url, order.source, logical=order.logical)
        memory.settle()
        while True:
            load: Load = await asyncio.to_thread(pipe.recv)
            groups = list(merged(map(read_part, load)))
            pipe.send(Read(sum(len(group.items) for group in groups), said(groups, base_url)))
            await asyncio.to_thread(pipe.recv)
            later = await loader.store(groups)
            pipe.send(Stored(loader.report, later))
            loader.report = Report()
