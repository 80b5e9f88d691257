"""Where one person's pages stand: /dossiers/{id} under one's own rights, or under those of an access that will end."""

from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from liaison.auth.caller import Caller
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me, address_of, signed_in


@dataclass(frozen=True, slots=True)
class Urgent:
    """An emergency access (`task`) or a call of the platform (`call`), named on top of each page, with its end."""

    until: datetime
    task: str = ""
    call: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose record, seen as whom, at which address. `urgent` None: under one's own rights.

    `writes`: whether forms that write may be shown. What happens to a form is decided by the engine.
    """

    id: str
    path: str
    caller: Caller
    me: Me
    record: Record
    urgent: Urgent | None = None

    @property
    def writes(self) -> bool:
        return self.urgent is None


async def own_place(request: Request) -> Place:
    """/dossiers/{id}, as the person who is signed in."""
    caller, me = await signed_in(request)
    id_ = request.path_params["id"]
    record = Record(request.app.state.house.engine, caller, address_of(request))
    return Place(id_, f"/dossiers/{id_}", caller, me, record)
