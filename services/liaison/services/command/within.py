"""A piece of work of a command that needs the house."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from liaison.services import base
from liaison.services.command import Refused
from liaison.services.command.serve import CANNOT
from liaison.services.house import House
from liaison.services.settings import Settings

T = TypeVar("T")


def within(work: Callable[[House], Awaitable[T]], *problems: type[Exception], settings: Settings | None = None) -> T:
    """On the database of the settings, started for the time of the work when no service runs. Raises Refused, in a sentence,
    for one of `problems` and for what keeps a service from starting."""

    on = settings or Settings()

    async def carry() -> T:
        async with House.opened(on) as house:
            return await work(house)

    try:
        with base.standing(on):
            return asyncio.run(carry())
    except problems + CANNOT as error:
        said = str(error)
        raise Refused(f"{said[:1].upper()}{said[1:]}".removesuffix(".") + ".") from None
