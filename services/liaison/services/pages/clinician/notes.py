"""A note of the liaison notebook, written on the page of documents and notes: short, dated, signed, for the whole team.

As the ANS has it shared (« Cahier de liaison », type TRE_R234): a DocumentReference of plain text.
"""

from base64 import b64encode
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.protocols import codes
from liaison.services.pages.clinician import history
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.clinician.place import own_place
from liaison.services.pages.signed_in import Me

Tree = dict[str, Any]

TYPE: Final = {"system": codes.NOTE_TYPE, "code": "INFO", "display": "Information"}


async def add(request: Request) -> Response:
    """Who may write a note is decided by the engine."""
    place = await own_place(request)
    await patient_or_404(place.record, place.id)
    text = str((await request.form()).get("note", "")).strip()
    if not 0 < len(text) <= history.LONGEST_NOTE:
        return await history.show(request, place, unsent=text[: history.LONGEST_NOTE])
    await place.record.create(note(text, place.id, place.me, place.record.now()))
    return RedirectResponse(f"{place.path}/documents", status_code=303)


def note(text: str, patient: str, me: Me, at: datetime) -> Tree:
    """The DocumentReference of these words, signed by whoever writes them."""
    moment = at.isoformat(timespec="seconds")
    signature = f"{me.name} ({me.role_label.lower()})"
    data = b64encode(text.encode()).decode()
    attachment = {"contentType": "text/plain; charset=utf-8", "language": "fr-FR", "data": data, "creation": moment}
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"coding": [TYPE]},
        "subject": {"reference": f"Patient/{patient}"},
        "date": moment,
        "author": [{"reference": me.role_reference or me.person, "display": signature}],
        "content": [{"attachment": attachment}],
    }
