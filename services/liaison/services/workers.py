"""The supervisor of the worker processes: uvicorn's, which learns at once that one has died, and forks each worker from
a process that has loaded the service once (`nursery`)."""

import multiprocessing
from multiprocessing import forkserver
from typing import Final

from uvicorn import _subprocess
from uvicorn.supervisors import Multiprocess

_FORKED: Final = multiprocessing.get_context("forkserver")


def load() -> None:
    """Begins to load what every worker needs, in the process that they are forked from, which goes on by itself: meanwhile
    the database starts. That process keeps the environment of this moment, and so do the workers."""
    _FORKED.set_forkserver_preload(["liaison.services.nursery"])
    forkserver.ensure_running()


class Workers(Multiprocess):
    """Replaces a worker that has died, or that does not answer for `timeout_worker_healthcheck` seconds."""

    def init_processes(self) -> None:
        # uvicorn starts each worker from nothing and has no setting for it. Loading what a worker needs takes seconds,
        # once for each of them, and again for one that replaces another; and each would keep a copy of its own.
        load()  # nothing where it was called already
        _subprocess.spawn = _FORKED  # type: ignore[assignment]  # both start a process that takes a pickled target
        super().init_processes()

    def keep_subprocess_alive(self) -> None:
        # Each worker answers through a pipe whose both ends we hold. With the worker's end open here, one that dies
        # while it is asked would be waited for as if it were busy, and with it the others that died meanwhile.
        for process in self.processes:
            process.child_conn.close()
        super().keep_subprocess_alive()
