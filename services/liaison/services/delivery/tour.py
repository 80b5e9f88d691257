"""The tour that a telephone takes along: today and tomorrow, the fewest facts, and the permit to tell about them later."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from liaison.auth.caller import Caller
from liaison.auth.people import designated, permits, service_numbers, visit_keys
from liaison.auth.people.permits import BEFORE, GOOD_FOR, Permit
from liaison.auth.people.visit_keys import VisitKey
from liaison.fhir.errors import BadRequest
from liaison.fhir.store import faults
from liaison.protocols import flagging
from liaison.protocols.forms import arranged, canonical
from liaison.services import visit_forms
from liaison.services.delivery.unread import Hours, unread
from liaison.services.house import House
from liaison.services.pages.calendar_words import moment_said
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_care.replies import Reply, replies
from liaison.services.pages.home_care.today import Card, directory_phone, tour, visits_since
from liaison.services.pages.home_care.visit import last_measures
from liaison.services.pages.languages import translations
from liaison.services.pages.layout import environment
from liaison.services.pages.marking import _
from liaison.services.pages.reading import measures, moments, people, sentences
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.states import in_force
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me

Tree = dict[str, Any]
DAYS: Final = 2
MOST_KNOWN: Final = 3
MOST_REPLIES: Final = 5
_PUBLIC: Final = ("crv", "kty", "x", "y")


@dataclass(frozen=True, slots=True)
class Stop:
    """One visit of the tour, as a telephone shows it: first name and initial, commune, one instruction, what must be
    known. `asked`: the form that is filled in there. `last`: of each measure, by linkId, its last value, and that in words (of the weight
    also apart, for a page that was put by before there were others). `paused`: the person is in hospital. `unread`: when an alert would find nobody to read it."""

    appointment: str
    patient: str
    at: str
    who: str
    commune: str
    instruction: str
    done: bool
    paused: bool
    known: tuple[str, ...]
    weight: float | None
    weight_said: str
    asked: str
    last: Mapping[str, tuple[float, str]]
    unread: tuple[tuple[str, str], ...]


class Reader(NamedTuple):
    """Somebody whom the service has designated to read reports of suspected abuse."""

    reference: str
    name: str


class Said(NamedTuple):
    """What somebody answered to an alert or a visit: about whom, when and by whom in one line, and the words."""

    about: str
    text: str


class Called(NamedTuple):
    """A number of the service and its hours (people.service_numbers): the telephone chooses the one of the hour without a network."""

    name: str
    phone: str
    days: str
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Tour:
    """`service_phone`: where none of `numbers` holds. `forms`: what those of the stops ask, by canonical, as the page shows it. `readers`: of reports, whoever does not manage the service first. `replies`: newest first, MOST_REPLIES at the most. `permit` and `key` go back with each visit; `good_until`: the telephone forgets the rest then."""

    made_at: str
    good_until: str
    aide: str
    service: str
    service_phone: str
    numbers: tuple[Called, ...]
    permit: str
    key: VisitKey
    readers: tuple[Reader, ...]
    forms: Mapping[str, Tree]
    replies: tuple[Said, ...]
    stops: tuple[Stop, ...]

    def told(self) -> Tree:
        return {
            **asdict(self),
            "key": self.key._asdict(),
            "readers": [one._asdict() for one in self.readers],
            "numbers": [one._asdict() for one in self.numbers],
            "replies": [one._asdict() for one in self.replies],
        }


def thumbprint(jwk: object) -> str:
    """Of the telephone's public key. Raises BadRequest for anything that is not a public key of P-256."""
    try:
        if not isinstance(jwk, Mapping) or sorted(jwk) != sorted(_PUBLIC) or jwk["crv"] != "P-256":
            raise ValueError
        return ECKey.import_key({name: str(jwk[name]) for name in _PUBLIC}).thumbprint()
    except (JoseError, ValueError, TypeError, KeyError):
        raise BadRequest("The telephone's key is not a public key of P-256.", "device") from None


async def packed(house: House, caller: Caller, me: Me, phone: int, device: str, language: str) -> Tour:
    """What the aide may see now, read as she would: each access stands in the journal."""
    record = Record(house.engine, caller)
    now = record.now()
    say = translations(language).gettext
    cards = await _cards(record, me, say)
    forms = await visit_forms.in_force(house.database, caller.organization)
    persons = list(dict.fromkeys(card.patient for card in cards))
    told = list(dict.fromkeys((card.patient, card.model) for card in cards))
    known, number, alone, answered = await asyncio.gather(
        asyncio.gather(*(_known(record, patient, forms[model].form, now, say) for patient, model in told)),
        directory_phone(record, me.organization_reference),
        unread(house, caller, persons, now, now + GOOD_FOR),
        replies(record, say),
    )
    facts = dict(zip(told, known, strict=True))
    with faults.reported():
        key = await visit_keys.current(house.database.writing, house.vault.territory)
        readers = await designated.of_service(house.database.reading, caller.organization)
        own = await service_numbers.of_service(house.database.reading, caller.organization)
    permit = Permit(
        account=caller.account,
        practitioner=caller.practitioner,
        role=caller.role,
        organization=caller.organization,
        phone=phone,
        aide=me.signature,
        service={"reference": me.organization_reference, "display": me.organization_name},
        patients=tuple(persons),
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
        numbers=tuple(Called(one.name, one.phone, one.days, one.begins, one.ends) for one in own),
        permit=permits.given(house.vault.territory, permit),
        key=key,
        readers=tuple(Reader(one.reference, one.name) for one in readers),
        replies=tuple(_said(one, language, say) for one in answered[:MOST_REPLIES]),
        forms={canonical(forms[one].form): _shown(forms[one].form, language) for one in {card.model for card in cards}},
        stops=tuple(
            _stop(
                card,
                canonical(forms[card.model].form),
                *facts[card.patient, card.model],
                unread=alone[card.patient],
                language=language,
            )
            for card in cards
        ),
    )


def _said(one: Reply, language: str, say: Say) -> Said:
    at = moment_said(one.at.astimezone(PARIS), "d MMM, HH:mm", language) if one.at else ""
    return Said(" · ".join(part for part in (one.who, at, people.said(one.by, say)) if part), one.text)


async def _cards(record: Record, me: Me, say: Say) -> list[Card]:
    here = record.now().replace(hour=0, minute=0, second=0, microsecond=0)
    role = me.role_reference if me.role_code == "home-aide" else ""
    days = [here + timedelta(days=number) for number in range(DAYS)]
    visits = await visits_since(record, here)
    return [card for day in days for card in await tour(record, visits, day, role, say)]


def _shown(form: Tree, language: str) -> Tree:
    """What it asks as HTML, by the templates of the page with a network: a telephone has no other way to draw a form."""
    drawn = environment(language).get_template("home_care/asked.html").module
    told = arranged(form)
    return {"questions": str(drawn.questions(told)), "alerting": str(drawn.alerting(told))}  # type: ignore[attr-defined]  # its macros


async def _known(
    record: Record, patient: str, form: Tree, now: datetime, say: Say
) -> tuple[tuple[str, ...], Mapping[str, Tree]]:
    query = {"patient": f"Patient/{patient}", "_count": "20"}
    flags, last = await asyncio.gather(
        found(record, "Flag", {**query, **flagging.BESIDES}), last_measures(record, patient, form)
    )
    return tuple(sentences.sentence(flag, say) for flag in in_force(flags, now)[:MOST_KNOWN]), last


def _stop(
    card: Card, asked: str, known: tuple[str, ...], last: Mapping[str, Tree], *, unread: Hours, language: str
) -> Stop:
    say = translations(language).gettext
    words = say(_("{value}, le {when}"))
    measured = {
        link: (float(value), words.format(value=measures.value(tree, say), when=moments.said(tree, language)))
        for link, tree in last.items()
        if (value := tree.get("valueQuantity", {}).get("value")) is not None
    }
    weight, weight_said = measured.get("weight", (None, ""))
    return Stop(
        appointment=card.appointment,
        patient=card.patient,
        at=card.at.isoformat(timespec="minutes") if card.at else "",
        who=card.who.short,
        commune=card.commune,
        instruction=card.instruction,
        done=card.done,
        paused=card.paused,
        known=known,
        weight=weight,
        weight_said=weight_said,
        asked=asked,
        last=measured,
        unread=tuple(
            (begins.isoformat(timespec="minutes"), ends.isoformat(timespec="minutes")) for begins, ends in unread
        ),
    )
