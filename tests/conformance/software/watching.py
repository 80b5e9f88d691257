"""A proxy before a sandbox, which sees what a vendor's software really sends. Secrets stay in its memory."""

import asyncio
import base64
import binascii
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_HOP: Final = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding", "accept-encoding"})
_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came of it. `answer` is the JSON object that was answered, if it was one."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    authorization: str = ""
    proof: str = ""
    status: int = 200
    answer: Mapping[str, Any] = field(default_factory=dict)


def read_jwt(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unverified: the server has verified them. Empty for what is none."""
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in text.split(".")[:2])
    except (ValueError, binascii.Error):
        return {}, {}
    return (header, claims) if isinstance(header, dict) and isinstance(claims, dict) else ({}, {})


class Watch:
    """Forwards everything to `behind`, and keeps what was exchanged, in order."""

    def __init__(self, behind: str) -> None:
        self.seen: list[Exchange] = []
        self._behind = behind

    async def _forward(self, request: Request) -> Response:
        body = await request.body()
        target = self._behind + request.url.path + (f"?{request.url.query}" if request.url.query else "")
        headers = [(name, value) for name, value in request.headers.items() if name not in _HOP]
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.request(request.method, target, content=body, headers=headers)
        self.seen.append(_exchange(request, body, answer))
        response = Response(answer.content, answer.status_code)
        response.raw_headers = [
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.lower().decode() not in _HOP | {"content-encoding"}
        ] + [(b"content-length", str(len(answer.content)).encode())]
        return response

    @contextlib.asynccontextmanager
    async def serving(self, port: int) -> AsyncIterator[None]:
        app = Starlette(routes=[Route("/{path:path}", self._forward, methods=_METHODS)])
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # ours are kept
        running = asyncio.create_task(server.serve())
        while not server.started and not running.done():
            await asyncio.sleep(0.01)
        try:
            yield
        finally:
            server.should_exit = True
            await running


def _exchange(request: Request, body: bytes, answer: httpx.Response) -> Exchange:
    formed = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    try:
        content = answer.json() if request.url.path.startswith("/oauth/") else {}
    except ValueError:
        content = {}
    return Exchange(
        request.method,
        request.url.path,
        dict(request.query_params),
        dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)) if formed else {},
        request.headers.get("authorization", ""),
        request.headers.get("dpop", ""),
        answer.status_code,
        content if isinstance(content, dict) else {},
    )
