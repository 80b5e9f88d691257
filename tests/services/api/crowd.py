"""Many who write at the same moment."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

WRITERS = 16
SYSTEM = "urn:crowd"


def bundle(*entries: tuple[dict[str, Any], dict[str, str]]) -> bytes:
    made = [{"resource": resource, "request": request} for resource, request in entries]
    return json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": made}).encode()


def at_once(count: int, work: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Each on a connection of its own, so that both workers take part."""
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(work, range(count)))
