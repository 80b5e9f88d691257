"""`_pretty=true` (https://hl7.org/fhir/R4/http.html#parameters): an answer laid out for human eyes.

Only white space is added: numbers keep their own text (72.50, 0.000000100), and no property moves.
"""

import asyncio
import json
from typing import Final

import orjson

LARGE: Final = 64 * 1024
"""Bytes from which the layout is made in a thread, so that others are answered meanwhile."""


async def laid_out(body: bytes) -> bytes:
    """`indented`, in a thread when it is long work."""
    return indented(body) if len(body) < LARGE else await asyncio.to_thread(indented, body)


def indented(body: bytes) -> bytes:
    """The same JSON text, two spaces a level, with a line end after it. For what this service wrote itself: names in an
    object are unique, and texts are escaped no more than they must be."""
    tree = json.loads(body, parse_float=orjson.Fragment, parse_int=orjson.Fragment)
    return orjson.dumps(tree, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
