"""« Elle revient sur cette décision »: a consent, an opposition or a masking ends, at once; and the signed form is read."""

import base64

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access.oppositions import SCANS
from liaison.fhir.errors import NotFound
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.layout import confine
from liaison.services.pages.opposing.confirming import end
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in


async def withdraw(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    await patient_or_404(record, id_)
    tree = await record.read(f"Consent/{request.path_params['consent']}")
    if tree is None or tree["patient"]["reference"] != f"Patient/{id_}":
        raise NotFound
    if tree["status"] in ("active", "proposed"):
        await end(record, tree, me)
    return RedirectResponse(f"/dossiers/{id_}/accords", status_code=303)


async def signed(request: Request) -> Response:
    """The scan of what the person signed, as a file: never shown inside a page of ours."""
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    tree = await record.read(f"Consent/{request.path_params['id']}")
    attachment = (tree or {}).get("sourceAttachment") or {}
    kind, data = attachment.get("contentType"), attachment.get("data")
    if kind not in SCANS or not isinstance(data, str):
        raise NotFound
    name = f"opposition.{kind.partition('/')[2]}"
    answer = Response(base64.b64decode(data), media_type=kind)
    answer.headers["content-disposition"] = f'attachment; filename="{name}"'
    return confine(request, answer)
