"""« Elle revient sur cette décision »: a consent, an opposition or a masking ends, at once; and the signed form is read."""

import base64

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.oppositions import SCANS
from liaison.fhir.errors import NotFound
from liaison.services.pages.clinician import wishes
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine
from liaison.services.pages.marking import _
from liaison.services.pages.opposing.confirming import end
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in


async def withdraw(request: Request) -> Response:
    """What closed something is ended by others than the person only when they say that they asked (as on « Oppositions à
    confirmer »)."""
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    tree = await record.read(f"Consent/{request.path_params['consent']}")
    if tree is None or tree["patient"]["reference"] != f"Patient/{id_}":
        raise NotFound
    reopens = bool(wishes.REOPENING & set(codes(tree.get("category"), vocabulary.CONSENT)))
    if reopens and me.role_code not in wishes.PERSONS and not (await request.form()).get("asked"):
        words = translations(language_of(request)).gettext(_("Dites que vous l'avez vérifié avec la personne."))
        return await wishes.show(request, record, patient, me, {}, words, 400)
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
