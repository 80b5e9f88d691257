"""The manager of a home-care service, signed in, where real people work."""

from collections.abc import AsyncIterator

import httpx
import pytest

from liaison.services.pages.phones import CHECKS

from ...oauth.conftest import Place, declared_as
from .test_team import post


@pytest.fixture
async def manager(managed: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with managed.signed_in() as browser:
        await post(browser, "/telephones", libelle="Téléphone 1", fait=list(CHECKS))
        await declared_as(managed, None)  # as where real people work, PINs are for the phones that were enrolled
        yield browser
