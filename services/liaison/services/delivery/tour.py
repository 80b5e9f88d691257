"""The tour that a telephone takes along: today and tomorrow, the fewest facts, and the permit to tell about them later."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from liaison.auth.caller import Caller
from liaison.auth.people import designated, permits, visit_keys
from liaison.auth.people.permits import BEFORE, GOOD_FOR, Permit
from liaison.auth.people.visit_keys import VisitKey
from liaison.fhir.errors import BadRequest
from liaison.fhir.store import faults
from liaison.protocols import flagging
from liaison.services.delivery.unread import Hours, unread
from liaison.services.house import House
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.home_care.today import Card, service_phone, tour, visits_since
from liaison.services.pages.home_care.visit import last_weight
from liaison.services.pages.reading import measures, moments, sentences
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.states import in_force
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me

Tree = dict[str, Any]
DAYS: Final = 2
MOST_KNOWN: Final = 3
_PUBLIC: Final = ("crv", "kty", "x", "y")


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit of the tour, as a telephone shows it: first name and initial, commune, one instruction, what must be
    known. `unread`: when an alert would find nobody to read it."""

    appointment: str
    patient: str
    at: str
    who: str
    commune: str
    instruction: str
    done: bool
    known: tuple[str, ...]
    weight: float | None
    weight_said: str
    unread: tuple[tuple[str, str], ...]


class Reader(NamedTuple):
    """Somebody whom the service has designated to read reports of suspected abuse."""

    reference: str
    name: str


@dataclass(frozen=True, slots=True)
class Tour:
    """`readers`: of reports, whoever does not manage the service first. `permit` and `key` go back with each visit; `good_until`: the telephone forgets the rest then."""

    made_at: str
    good_until: str
    aide: str
    service: str
    service_phone: str
    permit: str
    key: VisitKey
    readers: tuple[Reader, ...]
    stops: tuple[Stop, ...]

    def told(self) -> Tree:
        return {**asdict(self), "key": self.key._asdict(), "readers": [one._asdict() for one in self.readers]}


def thumbprint(jwk: object) -> str:
    """Of the telephone's public key. Raises BadRequest for anything that is not a public key of P-256."""
    try:
        if not isinstance(jwk, Mapping) or sorted(jwk) != sorted(_PUBLIC) or jwk["crv"] != "P-256":
            raise ValueError
        return ECKey.import_key({name: str(jwk[name]) for name in _PUBLIC}).thumbprint()
    except (JoseError, ValueError, TypeError, KeyError):
        raise BadRequest("The telephone's key is not a public key of P-256.", "device") from None


async def packed(house: House, caller: Caller, me: Me, phone: int, device: str, say: Say) -> Tour:
    """What the aide may see now, read as she would: each access stands in the journal."""
    record = Record(house.engine, caller)
    now = record.now()
    cards = await _cards(record, me, say)
    people = list(dict.fromkeys(card.patient for card in cards))
    known, number, alone = await asyncio.gather(
        asyncio.gather(*(_known(record, patient, now, say) for patient in people)),
        service_phone(record, me.organization_reference),
        unread(house, caller, people, now, now + GOOD_FOR),
    )
    facts = dict(zip(people, known, strict=True))
    with faults.reported():
        key = await visit_keys.current(house.database.writing, house.vault.territory)
        readers = await designated.of_service(house.database.reading, caller.organization)
    permit = Permit(
        account=caller.account,
        practitioner=caller.practitioner,
        role=caller.role,
        organization=caller.organization,
        phone=phone,
        aide={"reference": me.role_reference or me.person, "display": f"{me.name} ({me.role_label.lower()})"},
        service={"reference": me.organization_reference, "display": me.organization_name},
        patients=tuple(people),
        began=now - BEFORE,
        ends=now + GOOD_FOR,
        device=device,
    )
    return Tour(
        made_at=now.isoformat(timespec="seconds"),
        good_until=(now + GOOD_FOR).isoformat(timespec="seconds"),
        aide=me.name,
        service=me.organization_name,
        service_phone=number,
        permit=permits.given(house.vault.territory, permit),
        key=key,
        readers=tuple(Reader(one.reference, one.name) for one in readers),
        stops=tuple(_stop(card, *facts[card.patient], unread=alone[card.patient]) for card in cards),
    )


async def _cards(record: Record, me: Me, say: Say) -> list[Card]:
    here = record.now().replace(hour=0, minute=0, second=0, microsecond=0)
    role = me.role_reference if me.role_code == "home-aide" else ""
    days = [here + timedelta(days=number) for number in range(DAYS)]
    visits = await visits_since(record, here)
    return [card for day in days for card in await tour(record, visits, day, role, say)]


async def _known(record: Record, patient: str, now: datetime, say: Say) -> tuple[tuple[str, ...], Tree | None]:
    query = {"patient": f"Patient/{patient}", "_count": "20"}
    flags, weight = await asyncio.gather(
        found(record, "Flag", {**query, **flagging.BESIDES}), last_weight(record, patient)
    )
    return tuple(sentences.sentence(flag, say) for flag in in_force(flags, now)[:MOST_KNOWN]), weight


def _stop(card: Card, known: tuple[str, ...], weight: Tree | None, *, unread: Hours) -> Stop:
    value = (weight or {}).get("valueQuantity", {}).get("value")
    return Stop(
        appointment=card.appointment,
        patient=card.patient,
        at=card.at.isoformat(timespec="minutes") if card.at else "",
        who=card.who.short,
        commune=card.commune,
        instruction=card.instruction,
        done=card.done,
        known=known,
        weight=float(value) if value is not None else None,
        weight_said=f"{measures.value(weight, str)}, le {moments.said(weight, 'fr')}" if weight else "",
        unread=tuple(
            (begins.isoformat(timespec="minutes"), ends.isoformat(timespec="minutes")) for begins, ends in unread
        ),
    )
