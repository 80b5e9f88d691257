"""The processes of a running service, as the operating system lists them."""

import subprocess
from pathlib import Path


def workers_of(process: "subprocess.Popen[str]") -> list[int]:
    """The worker processes of a `liaison serve`."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [pid for pid in map(int, listed) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
