"""What the HTTP of a request says, before anybody asks what it means: its headers, its path, its id."""

import os
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import unquote

from liaison.fhir.errors import BadRequest

Scope = MutableMapping[str, Any]

_KEPT: Final[dict[bytes, str]] = {
    name.encode(): name
    for name in (
        "accept",
        "accept-encoding",
        "access-control-request-headers",
        "authorization",
        "client-cert",  # only when the proxy has set it: liaison.services.proxied
        "content-encoding",
        "content-length",
        "content-type",
        "dpop",
        "host",
        "if-match",
        "if-modified-since",
        "if-none-exist",
        "if-none-match",
        "origin",
        "prefer",
        "transfer-encoding",
        "x-request-id",
    )
}
_LISTS: Final = frozenset(
    (
        "accept",
        "accept-encoding",
        "access-control-request-headers",
        "content-encoding",
        "if-match",
        "if-none-match",
        "prefer",
    )
)
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ID_SHAPE: Final = re.compile(r"[A-Z][A-Za-z]*|[_$][a-z-]*|metadata|")


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers that mean something here. One that comes twice is refused: proxy and service could differ."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        known = _KEPT.get(name)
        if known is not None:
            if known in found and known not in _LISTS:
                raise BadRequest(f"The header {known} comes twice.")
            text = value.decode("latin-1")
            found[known] = f"{found[known]}, {text}" if known in found else text
    return found


def request_id_of(headers: Mapping[str, str]) -> str:
    """The caller's own X-Request-Id when it is short and plain, else a new one."""
    given = headers.get("x-request-id", "")
    return given if given and _REQUEST_ID.fullmatch(given) else os.urandom(8).hex()


def shape(path: str) -> str:
    """A path for the log and the metrics: ids and anything unknown are left out."""
    return "/".join([part if _ID_SHAPE.fullmatch(part) else "{id}" for part in path.split("/")[:4]])


def path_below(scope: Scope, prefix: str) -> str:
    """The path below the FHIR base, each segment decoded once. A dot segment or an encoded slash is refused."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.decode("latin-1").partition("?")[0].removeprefix(prefix).removeprefix("/")
    if "%" not in path and "." not in path:
        return path
    segments = [unquote(segment) for segment in path.split("/")]
    if any(segment in (".", "..") or "/" in segment or "\\" in segment or "\0" in segment for segment in segments):
        raise BadRequest("The path holds a dot segment or an encoded slash.")
    return "/".join(segments)
