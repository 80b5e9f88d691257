"""Versions in HTTP headers: ETag, Last-Modified, If-Match, If-None-Match, If-Modified-Since (RFC 9110 §8.8, §13)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

from liaison.fhir.errors import BadRequest, PreconditionFailed

ANY = -1


def meta(version: int, at: datetime) -> tuple[tuple[str, str], ...]:
    """The headers that every answer about one version carries. The ETag is weak: FHIR R4 http.html#concurrency."""
    return (("etag", f'W/"{version}"'), ("last-modified", _http_date(int(at.timestamp()))))


@lru_cache(maxsize=1024)
def _http_date(seconds: int) -> str:
    """RFC 9110 §5.6.7. Kept, because records that arrived together share their second."""
    return formatdate(seconds, usegmt=True)


def _tags(text: str) -> list[int]:
    """The versions a list of entity tags names; ANY for '*'. A tag that is no version of ours matches nothing.

    A bare number is read as the version it can only mean: fhirpy sends meta.versionId so.
    """
    if text.strip() == "*":
        return [ANY]
    found = []
    for part in text.split(","):
        tag = part.strip().removeprefix("W/")
        if tag.isascii() and tag.isdigit():
            tag = f'"{tag}"'
        if len(tag) < 2 or not (tag[0] == tag[-1] == '"'):
            raise BadRequest('An entity tag is written W/"3", as in the ETag of an answer.')
        number = tag[1:-1]
        found.append(int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0)
    return found


def require_match(headers: Mapping[str, str], version: int) -> None:
    """Raises PreconditionFailed when If-Match is there and does not name the current version."""
    wanted = headers.get("if-match")
    if wanted is None:
        return
    tags = _tags(wanted)
    if ANY not in tags and version not in tags:
        raise PreconditionFailed(
            "The resource has another version than If-Match says. Read it again, then send your change."
        )


def require_none_match(headers: Mapping[str, str], version: int) -> None:
    """Raises PreconditionFailed when a write says If-None-Match and the current version is one of those: `*` is any."""
    unwanted = headers.get("if-none-match")
    if unwanted is not None:
        tags = _tags(unwanted)
        if ANY in tags or version in tags:
            raise PreconditionFailed("The resource is there already; If-None-Match says that it must not be.")


def require_absent(headers: Mapping[str, str]) -> None:
    """Raises PreconditionFailed when If-Match is there: nothing matches, so no version does (RFC 9110 §13.1.1)."""
    if "if-match" in headers:
        raise PreconditionFailed("Nothing matches the criteria, so no version of it does, as If-Match asks.")


def not_modified(headers: Mapping[str, str], version: int, at: datetime) -> bool:
    """True when a conditional read may answer 304. If-None-Match wins over If-Modified-Since (RFC 9110 §13.1.3)."""
    unwanted = headers.get("if-none-match")
    if unwanted is not None:
        tags = _tags(unwanted)
        return ANY in tags or version in tags
    since = _since(headers)
    return since is not None and _second(at) <= since


def hangs_on_a_second(headers: Mapping[str, str], version: int, at: datetime) -> bool:
    """Whether `not_modified` says so of a changed resource by a date of the second in which it was changed: then that holds
    only if no other version is of this second (RFC 9110 §8.8.2.2: that it did not change twice within it)."""
    return version > 1 and "if-none-match" not in headers and _since(headers) == _second(at)


def alike(at: datetime, other: datetime) -> bool:
    """Whether two moments have the same Last-Modified."""
    return _second(at) == _second(other)


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _since(headers: Mapping[str, str]) -> datetime | None:
    since = headers.get("if-modified-since")
    if since is None:
        return None
    try:
        moment = parsedate_to_datetime(since)
    except (ValueError, OverflowError):
        return None  # RFC 9110 §13.1.3: a date that is not valid is ignored.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
