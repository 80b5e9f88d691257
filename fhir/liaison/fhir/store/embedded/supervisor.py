"""One process supervises the server of a directory: it alone starts, watches and stops it. Others share it as clients.

    directory/            mode 0700
      cluster/            PostgreSQL's own folder, owned by the account that runs it
      pgpass              passwords of the two roles (mode 0600)
      supervisor.lock     held (flock) as long as the supervising process lives
      server.json         where the socket is, while the server runs
      server.log          PostgreSQL's messages; nothing a client sent is in it

A supervisor that was killed leaves its server running; the next one adopts it.
"""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from liaison.fhir.store.embedded import cluster as clusters
from liaison.fhir.store.embedded import process, runtime
from liaison.fhir.store.embedded.confinement import WAYS, Account, Way, confine
from liaison.fhir.store.embedded.lock import Held, Lock
from liaison.fhir.store.embedded.programs import Programs

Progress = Callable[[str], None]


class EmbeddedError(RuntimeError):
    """The server could not be started or stopped. The text ends with the last lines of its log."""


class AlreadySupervised(EmbeddedError):
    """Another process supervises this directory; use `Embedded.attach` to share its server."""


class NotRunning(EmbeddedError):
    """No server runs on this directory."""


def _quiet(_: str) -> None:
    pass


class Embedded:
    """The server of one directory. Use as a context manager, or `start` and `stop`; both block."""

    def __init__(
        self,
        directory: Path,
        *,
        programs: Programs | None = None,
        settings: Mapping[str, str] | None = None,
        progress: Progress = _quiet,
        ways: Sequence[Way] = WAYS,
    ) -> None:
        self.directory = directory.absolute()
        self.programs = programs or Programs.of_wheel()
        self.settings = settings or {}
        self.progress = progress
        self.ways = ways
        self.adopted = False
        self.runtime: Path | None = None
        self._lock = Lock(self.directory)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def cluster(self) -> Path:
        return self.directory / "cluster"

    @property
    def url(self) -> str:
        """For the service's role. Holds no secret: the password is found through `passfile`."""
        return self._url(clusters.ROLE, clusters.DATABASE)

    @property
    def administrator_url(self) -> str:
        return self._url(clusters.ADMINISTRATOR, "postgres")

    def _url(self, role: str, database: str) -> str:
        if self.runtime is None:
            raise NotRunning(f"No server runs on {self.directory}.")
        where = f"host={quote(str(self.runtime))}&port={clusters.PORT}&passfile={quote(str(self.directory / 'pgpass'))}"
        return f"postgresql://{role}@/{database}?{where}"

    @property
    def pid(self) -> int | None:
        """The server's main process, when it lives."""
        found = process.postmaster(self.cluster)
        return found[0] if found else None

    @classmethod
    def attach(cls, directory: Path) -> Self:
        """Shares the server that another process supervises. Cannot start or stop it.

        Raises NotRunning when there is none, or only an orphan: that one is for `start` to adopt.
        """
        shared = cls(directory)
        if shared.pid is None or not shared._lock.taken() or (found := runtime.with_socket(directory)) is None:
            raise NotRunning(f"No server runs on {directory}. Start the service first.")
        shared.runtime = found
        return shared

    def start(self) -> Self:
        """Returns when the server accepts connections. Raises AlreadySupervised at once if another process has it.

        Recovery after a crash may be long: it is waited for as long as the server lives, and told to `progress`.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take()
        try:
            if not self._adopt():
                self._launch()
            clusters.settle(self.programs, self.directory, self._running_runtime())
        except BaseException:
            self.stop()
            raise
        return self

    def vacate(self) -> None:
        """Leaves a directory that may be removed: a server whose supervisor is gone is stopped. Raises AlreadySupervised."""
        self._take()
        self.runtime = runtime.recorded(self.directory)
        self.stop()

    def _take(self) -> None:
        try:
            self._lock.take()
        except Held as held:
            raise AlreadySupervised(
                f"The database in {self.directory} is supervised by {held}. "
                "Stop that one first, or let it serve this one too."
            ) from None

    def ensure(self) -> bool:
        """Starts the server again if it has died. True when it had to."""
        if not self._lock.ours:
            raise EmbeddedError("Only the supervising process may start the server.")
        if self.pid is not None:
            return False
        self._launch()
        return True

    @contextmanager
    def watched(self, every: float = 0.5) -> Iterator[None]:
        """A thread restarts a server that died. One that cannot start, for want of room on the disk say, is tried again
        for as long as it takes: `progress` is told each time."""
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(every):
                try:
                    self.ensure()
                except EmbeddedError as error:
                    self.progress(str(error))

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()

    def stop(self, patience: float = 60) -> None:
        """Ends every connection and stops the server cleanly; after `patience` seconds, without its last checkpoint
        (nothing is lost: the next start recovers)."""
        if not self._lock.ours:
            raise EmbeddedError("Only the supervising process may stop the server.")
        if (pid := self.pid) is not None:
            os.kill(pid, signal.SIGINT)
            if not self._gone(patience):
                self.progress("PostgreSQL is slow to stop; stopping it at once")
                os.kill(pid, signal.SIGQUIT)
                self._gone(patience)
        if self._process is not None:
            if pid is None:  # not far enough to have said its number
                self._process.terminate()
            self._process.wait()
            self._process = None
        if self.runtime is not None:
            shutil.rmtree(self.runtime, ignore_errors=True)
            self.runtime = None
        (self.directory / "server.json").unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    # ---- starting ----------------------------------------------------------------------------------------------

    def _adopt(self) -> bool:
        """Takes over a server whose supervisor is gone."""
        found, folder = process.postmaster(self.cluster), runtime.with_socket(self.directory)
        if found is None:
            return False
        if folder is None:  # its socket cannot be reached any more
            os.kill(found[0], signal.SIGINT)
            self._gone(None)
            return False
        self.runtime, self.adopted = folder, True
        self.progress(f"Adopting the PostgreSQL server {found[0]}, whose supervisor is gone")
        self._wait()
        return True

    def _launch(self) -> None:
        if self._process is not None:
            self._process.wait()
            self._process = None
        self._gone(None)
        self.runtime = folder = runtime.folder(self.directory, Account.owning(self.cluster))
        # None is alive, so these are a dead server's; PostgreSQL would refuse them if the number was used again.
        for stale in (self.cluster / "postmaster.pid", *folder.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
        if not (self.cluster / "PG_VERSION").exists():
            self.progress("Making the database")
            clusters.make(self.programs, self.directory, folder, self.ways)
        confinement = confine(self.programs, self.cluster, folder, ways=self.ways)
        log = self.directory / "server.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as out:
            # In a session of its own: the Ctrl-C that stops the supervisor is not for the server.
            self._process = subprocess.Popen(  # noqa: S603  # our own words
                clusters.run_command(confinement, folder, self.settings),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=confinement.start,
                start_new_session=True,
            )
        self._wait()

    def _running_runtime(self) -> Path:
        if self.runtime is None:
            raise NotRunning("The server is not running.")
        return self.runtime

    # ---- waiting -----------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        began = told = time.monotonic()
        while True:
            found = process.postmaster(self.cluster)
            if found is not None and found[1] == "ready":
                return
            if self._process is not None and self._process.poll() is not None:
                raise EmbeddedError(f"PostgreSQL did not start.\n{self._last_lines()}")
            if self._process is None and found is None:
                raise EmbeddedError(f"The adopted PostgreSQL server ended.\n{self._last_lines()}")
            if time.monotonic() - told > 2:
                told = time.monotonic()
                self.progress(f"PostgreSQL is recovering ({told - began:.0f} s)\n{self._last_lines(1)}")
            time.sleep(0.02)

    def _gone(self, patience: float | None) -> bool:
        began = told = time.monotonic()
        while process.on_cluster(self.cluster):
            if self._process is not None:
                self._process.poll()
            if patience is not None and time.monotonic() - began > patience:
                return False
            if time.monotonic() - told > 2:
                told = time.monotonic()
                self.progress(f"PostgreSQL is stopping ({told - began:.0f} s)")
            time.sleep(0.02)
        return True

    def _last_lines(self, count: int = 8) -> str:
        try:
            return "\n".join((self.directory / "server.log").read_text(errors="replace").splitlines()[-count:])
        except OSError:
            return ""
