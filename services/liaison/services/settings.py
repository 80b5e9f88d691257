"""The settings of the service, from environment variables that begin with LIAISON_. Each is in docs/configuration.md."""

from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PORT: Final = 8080
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def require_origin(text: str) -> str:
    """The origin that `text` writes (RFC 6454 §6.2). Raises ValueError for anything else, and for what a network could
    forge: plain HTTP is for this machine only."""
    parts = urlsplit(text)
    if not parts.netloc or text != f"{parts.scheme}://{parts.netloc}".lower() or "@" in text:
        raise ValueError(f"'{text}' is not an origin, as in https://app.example.fr; '*' is not taken.")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError(f"'{text}' must begin with https://, unless it is this machine.")
    return text


class Settings(BaseSettings):
    """Frozen: a running process never changes them. Nothing here is a secret; secrets are in files that these name.

    A test (tests/services/test_settings.py) fails on a setting that docs/configuration.md does not describe.
    """

    # An empty path would be the folder that the service was started in.
    model_config = SettingsConfigDict(env_prefix="LIAISON_", frozen=True, extra="ignore", env_ignore_empty=True)

    data: Path = Path("liaison-data")
    database_url: str = ""
    key_file: Path | None = None
    outside: Path | None = None
    public_url: str = ""
    """Once read, never empty: this machine at `port`, where none is set."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = PORT
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    body_limit_bytes: Annotated[int, Field(ge=1024, le=256 * 1024 * 1024)] = 16 * 1024 * 1024
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    conditional_delete_most: Annotated[int, Field(ge=1, le=1000)] = 1
    stop_within_seconds: Annotated[int, Field(ge=1, le=300)] = 20
    proxy_socket: Path | None = None
    dpop_nonce: bool = False
    fetch_private_addresses: bool = False
    psc_issuer: str = ""
    psc_client_id: str = ""
    psc_secret_file: Path | None = None
    psc_acr: str = "eidas1,eidas2,eidas3"
    mssante_smtp: str = ""
    mssante_imap: str = ""
    mssante_address: str = ""
    mssante_login_file: Path | None = None
    mssante_domains: Annotated[tuple[str, ...], NoDecode] = ()
    mssante_ca_file: Path | None = None
    notices_file: Path | None = None
    message_spool: Path | None = None
    access_log: bool = True
    metrics: bool = True

    @model_validator(mode="before")
    @classmethod
    def _here(cls, values: dict[str, object]) -> dict[str, object]:
        here = f"http://127.0.0.1:{values.get('port') or PORT}"
        return values if values.get("public_url") else {**values, "public_url": here}

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("psc_issuer")
    @classmethod
    def _issuer(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("must begin with https://")
        return value

    @field_validator("mssante_smtp", "mssante_imap")
    @classmethod
    def _over_tls(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("smtps", "smtp", "imaps") or not parts.hostname or parts.username):
            raise ValueError(
                "is written smtps://host:465 (smtp://host:587 with STARTTLS), imaps://host:993, without a user"
            )
        return value

    @field_validator("mssante_domains", mode="before")
    @classmethod
    def _domains(cls, value: object) -> object:
        return [one.strip().lower() for one in value.split(",") if one.strip()] if isinstance(value, str) else value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [one.strip() for one in value.split(",") if one.strip()] if isinstance(value, str) else value

    @field_validator("cors_origins")
    @classmethod
    def _named(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            require_origin(origin)
        return value

    @model_validator(mode="after")
    def _apart(self) -> "Settings":
        if self.outside and self.outside.resolve().is_relative_to(self.data.resolve()):
            raise ValueError(
                f"LIAISON_OUTSIDE ({self.outside}) is inside LIAISON_DATA ({self.data}): what it keeps would be lost with the"
                " data, when it is needed. Put it elsewhere, best on another disk."
            )
        return self

    @model_validator(mode="after")
    def _whole(self) -> "Settings":
        if self.psc_issuer and not (self.psc_client_id and self.psc_secret_file and self.psc_acr.strip(", ")):
            raise ValueError("LIAISON_PSC_ISSUER needs LIAISON_PSC_CLIENT_ID, LIAISON_PSC_SECRET_FILE and an acr.")
        return self

    @model_validator(mode="after")
    def _mailbox(self) -> "Settings":
        needed = (self.mssante_address, self.mssante_login_file, self.mssante_domains)
        if self.mssante_smtp and not all(needed):
            raise ValueError(
                "LIAISON_MSSANTE_SMTP needs LIAISON_MSSANTE_ADDRESS, LIAISON_MSSANTE_LOGIN_FILE and LIAISON_MSSANTE_DOMAINS."
            )
        if self.mssante_imap and not self.mssante_smtp:
            raise ValueError("LIAISON_MSSANTE_IMAP needs LIAISON_MSSANTE_SMTP.")
        return self

    @property
    def outside_folder(self) -> Path:
        """What must survive the database: tombstones, oppositions, revocations, the journal's last checkpoint."""
        return self.outside or self.data / "outside"

    @property
    def key_within(self) -> Path | None:
        """The folder of data that the key file lies in: a copy of it would carry the secret that opens it. None for none."""
        if self.key_file is None:
            return None
        folders = (self.data, self.outside_folder)
        return next((one for one in folders if self.key_file.resolve().is_relative_to(one.resolve())), None)

    @property
    def fhir_base(self) -> str:
        """The FHIR base URL, without a slash at its end. Never taken from the Host header."""
        return f"{self.public_url}/fhir"
