"""EHR launch: our pages open an app on a record, and the app's authorization request brings the handle back.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch

A handle is for one person and one app, ten minutes, once; it gives no right. What it names is shown to the person on
the consent page, as far as they may see it, and stands in the token response.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import asyncpg
import orjson

from liaison.auth.digests import digest

LIFETIME: Final = 600
_INTENT: Final = re.compile(r"[A-Za-z0-9._~:/-]{1,64}")
_REFERENCE: Final = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9.-]{1,64}")
MOST_REFERENCES: Final = 20


class LaunchProblem(ValueError):
    """What cannot be launched on; the text says why."""


@dataclass(frozen=True, slots=True)
class LaunchContext:
    """What a token is about (SMART §2.1.2): ids, never contents. '' and () for none.

    `references` become `fhirContext`. The patient and the encounter have parameters of their own and are not repeated
    there. `banner`: whether the app has to show itself whose record it is.
    """

    patient: str = ""
    encounter: str = ""
    intent: str = ""
    references: tuple[str, ...] = ()
    banner: bool = True

    def checked(self) -> Self:
        """Raises LaunchProblem for what could not stand in a token response."""
        if self.intent and _INTENT.fullmatch(self.intent) is None:
            raise LaunchProblem("intent is a code of at most 64 letters, digits and . _ ~ : / -")
        if len(self.references) > MOST_REFERENCES:
            raise LaunchProblem(f"A launch is about {MOST_REFERENCES} resources at most.")
        for one in self.references:
            if _REFERENCE.fullmatch(one) is None or one.startswith(("Patient/", "Encounter/")):
                raise LaunchProblem("A context is 'Type/id'; the patient and the encounter are named apart.")
        return self

    def parameters(self) -> dict[str, Any]:
        """As the token response and the introspection response write it; empty without a patient or another context."""
        made: dict[str, Any] = {}
        if self.patient:
            made["patient"] = self.patient
            made["need_patient_banner"] = self.banner
        if self.encounter:
            made["encounter"] = self.encounter
        if self.intent:
            made["intent"] = self.intent
        if self.references:
            made["fhirContext"] = [{"reference": one} for one in self.references]
        return made

    @classmethod
    def of(cls, parts: Mapping[str, Any]) -> Self:
        """From the JSON that `asdict` of it becomes."""
        return cls(**{**parts, "references": tuple(parts.get("references", ()))})


async def issue(
    connection: "asyncpg.Connection | asyncpg.Pool", *, client: int, account: int, context: LaunchContext
) -> str:
    """A new handle, of which only the SHA-256 is kept."""
    handle = secrets.token_urlsafe(32)
    await connection.execute(
        """
        insert into launch (handle, client, account, context, expires_at)
        values ($1, $2, $3, $4, now() + make_interval(secs => $5))
        """,
        digest(handle),
        client,
        account,
        orjson.dumps(asdict(context.checked())).decode(),
        LIFETIME,
    )
    return handle


async def find(
    connection: "asyncpg.Connection | asyncpg.Pool", handle: str, client: int, account: int
) -> LaunchContext | None:
    """What the handle names; None for one that is unknown, used, over, or for another person or app."""
    context = await connection.fetchval(f"select context from launch where {_FITS}", digest(handle), client, account)
    return None if context is None else LaunchContext.of(orjson.loads(context))


async def use(connection: "asyncpg.Connection | asyncpg.Pool", handle: str, client: int, account: int) -> bool:
    """Uses the handle up. Of those who come with one handle at once, exactly one hears True."""
    return bool(
        await connection.fetchval(
            f"update launch set used_at = now() where {_FITS} returning true", digest(handle), client, account
        )
    )


_FITS: Final = "handle = $1 and client = $2 and account = $3 and used_at is null and expires_at > now()"
