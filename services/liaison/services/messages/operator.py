"""The operator of MSSanté whose mailbox the installation has: where, and by which name and password."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from liaison.services.settings import Settings


class BadOperator(RuntimeError):
    """The settings of the mailbox cannot be used. The text names the setting, and holds no secret."""


def secret_lines(file: Path, setting: str) -> list[str]:
    """The lines of a file that nobody else may read. Raises BadOperator."""
    try:
        if file.stat().st_mode & 0o077:
            raise BadOperator(f"{setting}: {file} may be read by others: chmod 600.")
        return [line for line in file.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise BadOperator(f"{setting}: {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadOperator(f"{setting}: {file} is not text.") from None


@dataclass(frozen=True, slots=True)
class Operator:
    """`smtp`: smtps://host:465, or smtp://host:587 with STARTTLS; `imap`: imaps://host:993, '' where nothing is read back."""

    smtp: str
    imap: str
    address: str
    user: str
    password: str = field(repr=False)
    ca_file: Path | None

    @classmethod
    def of(cls, settings: Settings) -> "Operator | None":
        """None where the channel is off. Raises BadOperator."""
        if not settings.mssante_smtp or settings.mssante_login_file is None:
            return None
        found = secret_lines(settings.mssante_login_file, "LIAISON_MSSANTE_LOGIN_FILE")
        if len(found) != 2:
            raise BadOperator("LIAISON_MSSANTE_LOGIN_FILE has two lines: the user, then the password.")
        user, password = found
        return cls(
            settings.mssante_smtp,
            settings.mssante_imap,
            settings.mssante_address,
            user.strip(),
            password,
            settings.mssante_ca_file,
        )

    def context(self) -> ssl.SSLContext:
        """Certificate and name are checked, always. Raises OSError for a file of authorities that cannot be read."""
        return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
