"""The processes of a running service, as the operating system lists them."""

import subprocess
from pathlib import Path


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def nursery_of(process: "subprocess.Popen[str]") -> list[int]:
    """The process that the workers of a `liaison serve` are forked from, in a list; no process before there is one."""
    return [pid for pid in children_of(process.pid) if b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def workers_of(process: "subprocess.Popen[str]") -> list[int]:
    """The worker processes of a `liaison serve`."""
    return [worker for nursery in nursery_of(process) for worker in children_of(nursery)]
