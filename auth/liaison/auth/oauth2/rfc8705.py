"""Mutual TLS: a client that proves itself by its certificate, and tokens bound to one.

https://www.rfc-editor.org/rfc/rfc8705. The proxy has verified that the certificate is of an authority we trust and that
the caller holds its key; what is decided here is whose it is (§2.1, by its subject) and whether it is the one that a
token was issued to (§3). Section 3.1 asks for base64url of the raw digest: the sample of the French guide, which encodes
a hexadecimal text, is not taken.
"""

import hmac
from typing import TYPE_CHECKING

from liaison.auth.oauth2 import rfc9440
from liaison.auth.oauth2.confirmation import X5T, Confirmation
from liaison.auth.oauth2.errors import InvalidClient, InvalidRequest

if TYPE_CHECKING:
    from liaison.auth.oauth2.clients import Client


def authenticate(client: "Client", certificate: str) -> None:
    """§2.1: the certificate's subject is exactly the registered one. Raises InvalidClient."""
    try:
        shown = rfc9440.subject(certificate)
    except rfc9440.NoCertificate:
        raise InvalidClient from None
    if not client.certificate_subject or shown != client.certificate_subject:
        raise InvalidClient


def confirmation(certificate: str) -> Confirmation:
    """What a token of this connection is bound to. Raises InvalidRequest when it shows no certificate."""
    try:
        return Confirmation(X5T, rfc9440.thumbprint(certificate))
    except rfc9440.NoCertificate:
        raise InvalidRequest("The tokens of this client are bound to its certificate: none was shown.") from None


def holds(thumbprint: str, certificate: str) -> bool:
    """Whether the connection shows the certificate that the token is bound to."""
    try:
        return hmac.compare_digest(rfc9440.thumbprint(certificate), thumbprint)
    except (rfc9440.NoCertificate, TypeError):
        return False
