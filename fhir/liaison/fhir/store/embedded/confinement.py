"""Runs the PostgreSQL programs as an unprivileged account, whatever folders the data and the programs lie in.

PostgreSQL refuses to run as root, rightly. When we are root we run it as the account that owns the cluster, and change
no folder but the cluster's own. Three ways, the first that works:

* *directly*: the account can reach the programs and the cluster by itself;
* *mounted*: in a mount namespace of its own, where both are bound inside the runtime folder (a cluster in root's 0700
  home, say); it runs without any capability;
* *passed*: where mounting is forbidden (a container), the server is started inside the cluster's folder and knows it as
  /proc/self/cwd, a link that needs no right on the folders above; the programs, if out of reach, are copied to the
  runtime folder.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from liaison.fhir.store.embedded.programs import Programs

Way = Literal["ourselves", "directly", "mounted", "passed"]
WAYS: tuple[Way, ...] = ("directly", "mounted", "passed")

# Bound inside the runtime folder $1; runs in a mount namespace of its own, so nothing is seen outside or left behind.
_MOUNT = 'mount --bind -- "$2" "$1/cluster" && mount --bind -- "$3" "$1/programs" && shift 3 && exec "$@"'


class NoConfinement(RuntimeError):
    """There is no way here to run PostgreSQL without root's rights."""


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int

    @classmethod
    def owning(cls, cluster: Path) -> "Account":
        """The account that runs the server: ours; as root the cluster's owner, else `liaison`, else `nobody`."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid())
        if cluster.exists() and (status := cluster.stat()).st_uid != 0:
            return cls(status.st_uid, status.st_gid)
        for name in ("liaison", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid)
        raise NoConfinement("As root, PostgreSQL needs an account to run as. Create one: useradd --system liaison")


@dataclass(frozen=True, slots=True)
class Confinement:
    """One way of running the programs on one cluster. `command` gives the arguments to execute in folder `start`."""

    way: Way
    account: Account
    programs: Programs
    cluster: Path
    runtime: Path

    @property
    def cluster_seen(self) -> Path:
        """The cluster's path as the programs see it."""
        if self.way == "passed":
            return Path("/proc/self/cwd")
        return self.runtime / "cluster" if self.way == "mounted" else self.cluster

    @property
    def start(self) -> Path:
        return self.cluster if self.way == "passed" else Path("/")

    def command(self, program: str, *arguments: str) -> list[str]:
        folder = self.programs.bin
        if self.way in ("mounted", "passed") and (self.runtime / "programs").exists():
            folder = self.runtime / "programs" / folder.relative_to(self.programs.root)
        return self._confined(str(folder / program), *arguments)

    def _confined(self, *words: str) -> list[str]:
        if self.way == "ourselves":
            return list(words)
        identity = [f"--reuid={self.account.uid}", f"--regid={self.account.gid}", "--clear-groups"]
        drop = ["setpriv", *identity, "--inh-caps=-all", "--no-new-privs", "--", *words]
        if self.way != "mounted":
            return drop
        bind = ["sh", "-c", _MOUNT, "sh", str(self.runtime), str(self.cluster), str(self.programs.root)]
        return ["unshare", "--mount", "--propagation", "private", "--", *bind, *drop]

    def works(self) -> bool:
        """Whether the programs run this way and find the cluster's folder. Prepares the runtime folder for it."""
        for name in ("cluster", "programs"):
            shutil.rmtree(self.runtime / name, ignore_errors=True)
        if self.way == "mounted":
            for name in ("cluster", "programs"):
                (self.runtime / name).mkdir(mode=0o755)
        # --show runs the search for the programs' own folders, unlike --version, and changes nothing.
        show, seen = ("initdb", "--show", f"--pgdata={self.cluster_seen}"), str(self.cluster_seen)
        if self.way == "passed" and not self._runs(self.command(*show)):
            self.programs.copy(self.runtime / "programs")
        return self._runs(self._confined("sh", "-c", 'cd -- "$1" && test -w .', "sh", seen)) and self._runs(
            self.command(*show)
        )

    def _runs(self, command: Sequence[str]) -> bool:
        return subprocess.run(command, capture_output=True, check=False, cwd=self.start).returncode == 0  # noqa: S603  # our own words


def confine(programs: Programs, cluster: Path, runtime: Path, *, ways: Sequence[Way] = WAYS) -> Confinement:
    """The first way that works. `cluster` exists and belongs to the account; `runtime` is ours, mode 0700."""
    account = Account.owning(cluster)
    if os.geteuid() != 0:
        return Confinement("ourselves", account, programs, cluster, runtime)
    for way in ways:
        found = Confinement(way, account, programs, cluster, runtime)
        if found.works():
            return found
    raise NoConfinement(
        f"PostgreSQL may not run as root, and account {account.uid} can reach neither {cluster} nor {programs.bin}. "
        "Run as another user, or put the data outside of root's home."
    )
