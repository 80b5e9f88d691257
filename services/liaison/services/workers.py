"""The supervisor of the worker processes: uvicorn's, which learns at once that one has died."""

from uvicorn.supervisors import Multiprocess


class Workers(Multiprocess):
    """Replaces a worker that has died, or that does not answer for `timeout_worker_healthcheck` seconds."""

    def keep_subprocess_alive(self) -> None:
        # Each worker answers through a pipe whose both ends we hold. With the worker's end open here, one that dies
        # while it is asked would be waited for as if it were busy, and with it the others that died meanwhile.
        for process in self.processes:
            process.child_conn.close()
        super().keep_subprocess_alive()
