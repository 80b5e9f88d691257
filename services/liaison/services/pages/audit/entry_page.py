"""One line of the journal as software reads it: the AuditEvent itself."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from liaison.fhir.errors import NotFound
from liaison.services.pages.layout import render
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in


async def entry_page(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    tree: dict[str, Any] | None = await record.read(f"AuditEvent/{request.path_params['id']}")
    if tree is None:
        raise NotFound
    raw = orjson.dumps(tree, option=orjson.OPT_INDENT_2).decode()
    return render(request, "audit/entry.html", id=request.path_params["id"], raw=raw)
