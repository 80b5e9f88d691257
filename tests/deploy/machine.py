"""A machine of its own for a page that sets one up: this one, whose every change is thrown away.

The file system is an overlay in memory, with a root of its own; processes and network are apart. `systemd` cannot be the
first process here: `systemctl` enables units with the real one and, where it would start them, does what the unit says
about account, settings, folder and command. `apt-get` installs nothing: there is no network, and what is needed is there.
"""

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM = "/usr/sbin:/usr/bin:/sbin:/bin"
_COMMANDS = ("unshare", "adduser", "runuser", "curl", "systemctl", "nginx")


def _possible() -> str:
    """Why not, or ''."""
    if os.geteuid() != 0:
        return "only root can make a machine apart"
    if lacking := [one for one in _COMMANDS if not shutil.which(one, path=SYSTEM)]:
        return f"not installed: {', '.join(lacking)}"
    probe = "mount -t tmpfs t /mnt && mkdir /mnt/u /mnt/w && mount -t overlay o -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /media"
    tried = subprocess.run(["unshare", "--mount", "--net", "--pid", "--fork", "sh", "-c", probe], capture_output=True, check=False)  # fmt: skip
    return "" if tried.returncode == 0 else "this machine lets nobody make an overlay of it"


needed = pytest.mark.skipif(bool(_possible()), reason=_possible() or "possible")

SYSTEMCTL = """\
#!/bin/bash
# Stands for systemd, which is not the first process here: see tests/deploy/machine.py.
set -e
now=; names=(); verb=$1; shift
for word; do case $word in --now) now=1 ;; *) names+=("$word") ;; esac; done
case $verb in enable) /usr/bin/systemctl enable --quiet "${names[@]}" 2>&1 | grep -v sysv >&2 || true ;; esac
case $verb$now in daemon-reload | enable) exit ;; esac
for name in "${names[@]}"; do
  case $name in
  *.timer) ;;
  nginx) /usr/sbin/nginx ;;
  *)
    unit=/etc/systemd/system/$name.service
    of() { sed -n "s/^$1=//p" "$unit"; }
    set -a; . "$(of EnvironmentFile)"; set +a
    install -d -m 0755 -o "$(of User)" -g "$(of Group)" "/run/$(of RuntimeDirectory)"
    (umask "$(of UMask)"; cd /; RUNTIME_DIRECTORY=/run/$(of RuntimeDirectory) exec setsid runuser -u "$(of User)" -- \
      $(of ExecStart)) > /tmp/$name.log 2>&1 < /dev/null &
    ;;
  esac
done
"""

_APART = """\
set -e
mount -t tmpfs -o mode=0755 apart /mnt
mkdir /mnt/upper /mnt/work /mnt/machine
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/machine
cd /mnt/machine
mount -t proc proc proc
for one in dev sys; do mount --rbind /$one $one; done
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=0755 run run
for one in etc/liaison var/lib/liaison srv/liaison-outside var/backups/liaison opt/liaison etc/ssl/liaison; do rm -rf $one; done
{mounts}
{python} -c 'import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 1))'  # lo up
{opened}
install -m 0755 {work}/systemctl usr/local/sbin/systemctl
printf "#!/bin/sh\\n" | install -m 0755 /dev/stdin usr/local/sbin/apt-get
chroot . env -i {environment} bash -e -o pipefail {script}
"""


def run(script: str, given: str, bring: Mapping[str, Path], work: Path) -> "subprocess.CompletedProcess[str]":
    """The script typed by root on such a machine. `bring`: what is there at its start, by the absolute path there."""
    (work / "systemctl").write_text(SYSTEMCTL)
    (work / "script").write_text(script)
    there = {"/tmp/script": work / "script", **bring}
    mounts = "\n".join(f"mkdir -p .{Path(place).parent}; cp -r {what} .{place}" for place, what in there.items())
    # Our Python may lie in a home that is nobody else's; there it may be reached.
    ours = [Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve()]
    private = {parent for one in ours for parent in one.parents}
    environment = {"HOME": "/root", "TERM": "dumb", "LANG": "C.UTF-8", "PATH": f"/usr/local/sbin:/usr/local/bin:{SYSTEM}:{sys.base_prefix}/bin"}  # fmt: skip
    apart = _APART.format(
        mounts="\n".join([*map(_seen, ours), mounts, _libraries()]),
        python=sys.executable,
        opened="\n".join(f"chmod o+x .{one}" for one in sorted(private) if one != Path("/")),
        work=work,
        environment=" ".join(f"{name}={value!r}" for name, value in environment.items()),
        script="/tmp/script",
    )
    return subprocess.run(
        ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", "-c", apart],
        input=given,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def software(work: Path) -> Path:
    """As it is handed over, without what was made beside it."""
    made = (".*", "tests", "node_modules", "__pycache__", "*.egg-info")
    return Path(shutil.copytree(ROOT, work / "software", ignore=shutil.ignore_patterns(*made)))


def _seen(folder: Path) -> str:
    """An overlay shows nothing of another file system that is mounted below."""
    return f"[ -e .{folder} ] || {{ mkdir -p .{folder}; mount --bind {folder} .{folder}; }}"


def _libraries() -> str:
    """setup.sh finds the locked libraries installed: those of this environment, seen from one that is empty."""
    site = next(Path(one) for one in sys.path if one.endswith("site-packages"))
    venv = "opt/liaison/.venv"
    return textwrap.dedent(f"""\
        mkdir -p opt/liaison
        {sys.executable} -c 'import venv; venv.create("{venv}", symlinks=True)'
        echo {site} > {venv}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages/these.pth""")
