"""The certificate that a caller opened its connection with, as the proxy that ended TLS tells it (RFC 9440).

https://www.rfc-editor.org/rfc/rfc9440 §2: `Client-Cert: :<base64 of the DER>:`, one byte sequence of RFC 8941. Whether
the header is the proxy's or the caller's own invention is not known here: liaison.services.proxied lets it through only
when the request came over the proxy's own socket.
"""

import base64
import binascii
import hashlib
from typing import Final

from cryptography import x509

HEADER: Final = "client-cert"
LARGEST: Final = 16 * 1024


class NoCertificate(ValueError):
    """The header is missing or holds no certificate."""


def der_of(header: str) -> bytes:
    """The certificate's DER. Raises NoCertificate."""
    if len(header) < 3 or len(header) > LARGEST or header[0] != ":" or header[-1] != ":":
        raise NoCertificate("Client-Cert is not a byte sequence.")
    try:
        return base64.b64decode(header[1:-1], validate=True)
    except (binascii.Error, ValueError):
        raise NoCertificate("Client-Cert is not base64.") from None


def thumbprint(header: str) -> str:
    """`x5t#S256` (RFC 8705 §3.1): base64url of the SHA-256 of the DER, without padding. Raises NoCertificate."""
    return base64.urlsafe_b64encode(hashlib.sha256(der_of(header)).digest()).rstrip(b"=").decode()


def subject(header: str) -> str:
    """The certificate's subject as RFC 4514 writes it. Raises NoCertificate."""
    try:
        return x509.load_der_x509_certificate(der_of(header)).subject.rfc4514_string()
    except NoCertificate:
        raise
    except ValueError:
        raise NoCertificate("Client-Cert holds no certificate.") from None
