"""Drives wrk(1) against one address on this machine and reads what it measured."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

# wrk's own table leaves out the 95th percentile. Microseconds.
TELL = """
done = function(_, latency)
    local at = function(percent) return latency:percentile(percent) end
    io.write(string.format("latency %f %f %f\\n", at(50), at(95), at(99)))
end
"""


@dataclass(frozen=True)
class Measured:
    """Requests a second, latencies in milliseconds, and how many answers were not 2xx or 3xx."""

    rate: float
    p50: float
    p95: float
    p99: float
    refused: int


def drive(base: str, script: str, *, connections: int, seconds: int = 6) -> Measured:
    """Raises RuntimeError when wrk is missing (Debian: apt-get install wrk) or prints what cannot be read."""
    with tempfile.TemporaryDirectory() as folder:
        lua = Path(folder) / "requests.lua"
        lua.write_text(f"{script}\n{TELL}")
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(lua), base]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    latency = re.search(r"^latency ([\d.]+) ([\d.]+) ([\d.]+)$", printed, re.MULTILINE)
    refused = re.search(r"Non-2xx or 3xx responses:\s+(\d+)", printed)
    if rate is None or latency is None:
        raise RuntimeError(f"wrk printed nothing that can be read:\n{printed}")
    p50, p95, p99 = (float(found) / 1000 for found in latency.groups())
    return Measured(float(rate[1]), p50, p95, p99, int(refused[1]) if refused else 0)


def cycle(requests: list[tuple[str, str, str]], headers: dict[str, str]) -> str:
    """A wrk script that sends (method, path, body) one after the other, starting anew at the end.

    wrk keeps one Lua state a thread: with one thread, the order is that of the list.
    """
    lines = ["local r = {}"]
    for method, path, body in requests:
        given = f"[==[{body}]==]" if body else "nil"
        lines.append(f"r[#r+1] = {{[==[{method}]==], [==[{path}]==], {given}}}")
    pairs = ", ".join(f"[ [==[{k}]==] ] = [==[{v}]==]" for k, v in headers.items())
    lines += [
        f"local h = {{{pairs}}}",
        "local n = 0",
        "request = function() n = n % #r + 1; return wrk.format(r[n][1], r[n][2], h, r[n][3]) end",
    ]
    return "\n".join(lines)
