"""Makes a cluster and says how it runs: SCRAM for every connection, checksums, fsync, nothing secret in its log."""

import base64
import hashlib
import hmac
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from liaison.fhir.store.embedded.confinement import Account, Confinement, Way, confine
from liaison.fhir.store.embedded.programs import Programs

ADMINISTRATOR = "postgres"
ROLE = "liaison"
DATABASE = "liaison"
PORT = 5432  # only names the socket file; nothing listens on a network

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "300",  # a worker keeps up to 30
    "shared_buffers": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_startup_progress_interval": "2s",
    "max_wal_size": "2GB",
    # Nothing that a client sent may reach the log: no error, for its text may quote a value ("invalid input syntax for
    # type integer: …"; the client gets it, and the service logs the code), no statement, no parameter, no DETAIL ("Key
    # (x)=(…) exists"), no CONTEXT ("COPY t, line 3: …").
    "log_min_messages": "log",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    # A process title shows the statement's first words to every account of the machine.
    "update_process_title": "off",
    "track_activity_query_size": "100",
}


class ClusterError(RuntimeError):
    """initdb or the first settings failed. The text is PostgreSQL's own."""


def own(folder: Path, account: Account) -> None:
    """A folder of mode 0700 that belongs to the account."""
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(folder, account.uid, account.gid)


def make(programs: Programs, directory: Path, runtime: Path, ways: Sequence[Way]) -> None:
    """initdb into a folder that takes its name only when complete: an interrupted one is made again."""
    unfinished = directory / "cluster.new"
    shutil.rmtree(unfinished, ignore_errors=True)
    account = Account.owning(directory / "cluster")
    own(unfinished, account)
    passwords = {ADMINISTRATOR: secrets.token_urlsafe(32), ROLE: secrets.token_urlsafe(32)}
    pgpass = "".join(f"*:*:*:{role}:{password}\n" for role, password in passwords.items())
    confinement = confine(programs, unfinished, runtime, ways=ways)
    # initdb reads the password as the account that runs it, from a file only: one in our 0700 runtime folder.
    password = runtime / "password"
    write_private(password, _verifier(passwords[ADMINISTRATOR]) + "\n")
    if os.geteuid() == 0:
        os.chown(password, account.uid, account.gid)
    command = confinement.command(
        "initdb",
        f"--pgdata={confinement.cluster_seen}",
        f"--username={ADMINISTRATOR}",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
    )
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=confinement.start)  # noqa: S603  # our own words
    finally:
        password.unlink()
    if done.returncode:
        raise ClusterError(done.stderr.strip() or done.stdout.strip())
    write_private(directory / "pgpass", pgpass)
    unfinished.rename(directory / "cluster")


def _verifier(password: str) -> str:
    """What PostgreSQL keeps instead of the password (RFC 5802 §3, as in pg_authid). One iteration: more slow down the
    guessing of words that people choose, and this is 256 random bits; here they would slow down each connection by 10 ms.
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (base64.b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256$1:{salt64}${stored64}:{server64}"


def settle(programs: Programs, directory: Path, runtime: Path) -> None:
    """The role and the database of the service, once. The role owns its database and is nothing more."""
    if (directory / "settled").exists():
        return
    lines = (line.split(":") for line in (directory / "pgpass").read_text().splitlines())
    password = {parts[3]: parts[4] for parts in lines}[ROLE]
    _psql(programs, directory, runtime, f"drop database if exists {DATABASE};")
    _psql(
        programs,
        directory,
        runtime,
        f"drop role if exists {ROLE}; create role {ROLE} login password '{_verifier(password)}';",
        f"create database {DATABASE} owner {ROLE};",
        f"revoke connect on database {DATABASE} from public;",
    )
    (directory / "settled").touch(mode=0o600)


def _psql(programs: Programs, directory: Path, runtime: Path, *statements: str) -> None:
    done = subprocess.run(  # noqa: S603  # our own words; the password travels by stdin, not in the arguments
        [
            programs.bin / "psql",
            "-Xq",
            "-vON_ERROR_STOP=1",
            "-h",
            runtime,
            f"-p{PORT}",
            "-U",
            ADMINISTRATOR,
            "postgres",
        ],
        input="\n".join(statements),
        env={"PGPASSFILE": str(directory / "pgpass"), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ClusterError(done.stderr.strip())


def run_command(confinement: Confinement, runtime: Path, settings: Mapping[str, str]) -> list[str]:
    """The arguments that start the server in the foreground."""
    merged = {**SETTINGS, "unix_socket_directories": str(runtime), **settings}
    options = [word for name, value in merged.items() for word in ("-c", f"{name}={value}")]
    return confinement.command("postgres", "-D", str(confinement.cluster_seen), *options)


def write_private(path: Path, text: str) -> None:
    """Replaces a file at once, mode 0600."""
    partial = path.with_name(path.name + ".new")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)
