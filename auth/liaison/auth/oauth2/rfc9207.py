"""The answer to an authorization request, which always names its issuer (RFC 9207), so that a client that talks to
several servers can tell a mixed-up answer."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def response_url(redirect_uri: str, issuer: str, state: str, parameters: Mapping[str, str]) -> str:
    """The registered address with the answer in its query. `state` goes back exactly as it came, if it came."""
    parts = urlsplit(redirect_uri)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *parameters.items()]
    if state:
        query.append(("state", state))
    query.append(("iss", issuer))
    return urlunsplit(parts._replace(query=urlencode(query)))
