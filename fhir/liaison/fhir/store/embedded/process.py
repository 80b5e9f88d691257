"""Which PostgreSQL processes work on a cluster, told by their current folder: a pid file may outlive its process."""

import os
from pathlib import Path


def postmaster(cluster: Path) -> tuple[int, str] | None:
    """(pid, status) from the cluster's pid file, when that process is alive and works on this cluster."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if not _works_on(pid, cluster):
        return None
    # The eighth line is written last: "starting", "standby" or "ready", padded.
    return pid, lines[7].strip() if len(lines) > 7 else "starting"


def on_cluster(cluster: Path) -> list[int]:
    """Every living process of a server on the cluster, orphaned ones included."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in pids if _works_on(pid, cluster)]


def _works_on(pid: int, cluster: Path) -> bool:
    try:
        # A zombie has no current folder any more. The name alone would take a shell in that folder for a server.
        if Path(f"/proc/{pid}/comm").read_text().strip() != "postgres":
            return False
        there, here = os.stat(f"/proc/{pid}/cwd"), cluster.stat()
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)
