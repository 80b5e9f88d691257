"""The technical check of a request: whether the software could work here, and nothing that a person has to judge."""

from collections.abc import Collection, Sequence

from liaison.auth.oauth2.rfc7517 import read_key_set
from liaison.auth.oauth2.rfc7523 import ALGORITHMS, key_problem
from liaison.auth.safe_fetch import Fetcher, NotFetched
from liaison.auth.vendors.request_file import Problem, RequestFile


async def check(file: RequestFile, fetcher: Fetcher, roles: Collection[str]) -> Sequence[Problem]:
    """What is wrong; () when nothing is. The keys at a jwks_uri are really fetched, as they will be."""
    problems = []
    if file.role and file.role not in roles:
        problems.append(Problem("/role", f"There is no role '{file.role}'."))
    if file.jwks_uri:
        problems += await _published(file, fetcher)
    elif file.jwks is not None:
        problems += _fitting(file, [*file.jwks.get("keys", ())], "/jwks")
    return tuple(problems)


async def _published(file: RequestFile, fetcher: Fetcher) -> Sequence[Problem]:
    try:
        keys = read_key_set((await fetcher.get(file.jwks_uri)).content)
    except (NotFetched, ValueError) as error:
        return [Problem("/jwks_uri", str(error))]
    return _fitting(file, [*keys], "/jwks_uri")


def _fitting(file: RequestFile, keys: Sequence[object], where: str) -> Sequence[Problem]:
    kty = ALGORITHMS[file.algorithm]
    fitting = [key for key in keys if isinstance(key, dict) and key.get("kty") == kty]
    if not fitting:
        return [Problem(where, f"No key there can sign {file.algorithm}.")]
    problems = [Problem(where, text) for key in fitting if (text := key_problem(key))]
    kids = [key.get("kid") for key in fitting]
    if len(set(map(str, kids))) < len(kids):
        problems.append(Problem(where, "Two keys have the same kid: neither could be used."))
    return problems
