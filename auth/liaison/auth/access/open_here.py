"""What of one record is open to a caller now, whoever wrote it: so that no page says « Rien n'est noté » of what its reader
does not see. By class alone: that an item is masked or sensitive (access.classes.HIDING) is not told here."""

from functools import reduce
from operator import or_
from typing import Final

import asyncpg

from liaison.auth.access.classes import HIDING, Class
from liaison.auth.access.second_wall import NEVER
from liaison.auth.access.standing import standing
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import Vault

_TOLD: Final = ~HIDING


async def open_here(connection: asyncpg.Connection, vault: Vault, session: int, patient: int) -> Class:
    """The classes that the session reads in the record now, of anybody's entries. Raises Unauthorized when the session is
    over; nothing for a record that is not there."""
    who = await standing(connection, Ids(vault.id_key), session, [patient])
    key = (await vault.patient_keys(connection, [patient])).get(patient)
    if key is None:
        return Class(0)
    everyones = [one for one in who.grants.get(patient, ()) if not (one.author or one.service or one.addressee)]
    mask = reduce(or_, (one.mask for one in everyones), 0)
    found = reduce(or_, (one for one in Class if key.permute(int(one)) & mask), Class(0))
    return found & _TOLD & ~Class(NEVER.get(who.role_code, 0) & int(~Class(0)))
