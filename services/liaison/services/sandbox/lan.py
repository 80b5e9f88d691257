"""HTTPS on the local network, so that a real phone can be used: a certificate authority of this sandbox alone.

A phone that trusts it trusts it for private addresses only (RFC 5280 §4.2.1.10, critical): whoever took the key of a
sandbox could not pass for any site of the internet. The authority's key never leaves the folder.
"""

import io
import ipaddress
import os
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOLDER: Final = "lan"
AUTHORITY: Final = "authority.crt"
_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")
_AUTHORITY_LIFE: Final = timedelta(days=365)
_LIFE: Final = timedelta(days=30)


class NoPrivateAddress(RuntimeError):
    """This machine has no address on a private network. The text says what to do."""


class Certificate(NamedTuple):
    """Files in PEM; `authority` is what phones and clients are given to trust."""

    chain: Path
    key: Path
    authority: Path


def address() -> str:
    """This machine's address on its network. No packet is sent. Raises NoPrivateAddress."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: routed like the rest of the world, and nobody's
            found = str(probe.getsockname()[0])
        except OSError:
            found = "0.0.0.0"  # noqa: S104  # stands for 'none', nothing listens there
    if not any(ipaddress.ip_address(found) in ipaddress.ip_network(one) for one in _PRIVATE):
        raise NoPrivateAddress(f"{found} is not an address of a private network: start without --lan.")
    return found


def certificate(data: Path, host: str) -> Certificate:
    """A fresh certificate for this address, signed by the sandbox's own authority, which is made the first time."""
    folder = data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    authority, signing_key = _authority(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(_name("Liaison, bac à sable"))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(min(now + _LIFE, authority.not_valid_after_utc))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    where = Certificate(folder / "server.crt", folder / "server.key", folder / AUTHORITY)
    _write(where.key, _pem(key))
    _write(where.chain, made.public_bytes(serialization.Encoding.PEM))
    return where


def fingerprint(authority: Path) -> str:
    """SHA-256 of that certificate as phones write it, so that whoever installs it can compare."""
    return x509.load_pem_x509_certificate(authority.read_bytes()).fingerprint(hashes.SHA256()).hex(":").upper()


def trusting(authority: Path) -> ssl.SSLContext:
    """For a client of this sandbox: its authority and no other."""
    return ssl.create_default_context(cafile=str(authority))


def picture(url: str) -> str:
    """The address as a QR code for the terminal."""
    drawn = io.StringIO()
    segno.make(url, error="m").terminal(out=drawn, compact=True, border=2)
    return drawn.getvalue()


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    file, key_file = folder / AUTHORITY, folder / "authority.key"
    if file.exists() and key_file.exists():
        known = x509.load_pem_x509_certificate(file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if known.not_valid_after_utc > datetime.now(UTC) + _LIFE and isinstance(key, ec.EllipticCurvePrivateKey):
            return known, key
    made_key = ec.generate_private_key(ec.SECP256R1())
    name, now = _name("Liaison, autorité du bac à sable"), datetime.now(UTC)
    permitted = [x509.IPAddress(ipaddress.ip_network(one)) for one in _PRIVATE]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(made_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        # No host names at all: '' as an excluded DNS name matches every one.
        .add_extension(x509.NameConstraints(permitted, [x509.DNSName("")]), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(made_key.public_key()), critical=False)
        .sign(made_key, hashes.SHA256())
    )
    _write(key_file, _pem(made_key))
    _write(file, made.public_bytes(serialization.Encoding.PEM))
    return made, made_key


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as open_file:
        open_file.write(content)
