"""The certificate authority of a sandbox on the local network."""

import hashlib
import ipaddress
import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509

from liaison.services.sandbox import lan


def _handshake(certificate: lan.Certificate, trust: ssl.SSLContext, host: str) -> None:
    """One TLS connection to a server with this certificate. Raises ssl.SSLError when the client does not accept it."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate.chain, certificate.key)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with serving.wrap_socket(ours, server_side=True):
                pass
        except (ssl.SSLError, OSError):
            pass  # the client refused: that is what is being looked at
        finally:
            ours.close()

    server = threading.Thread(target=serve)
    server.start()
    try:
        with trust.wrap_socket(theirs, server_hostname=host):
            pass
    finally:
        theirs.close()
        server.join()


def test_who_trusts_the_authority_reaches_the_sandbox(tmp_path: Path) -> None:
    certificate = lan.certificate(tmp_path, "192.168.1.20")

    _handshake(certificate, lan.trusting(certificate.authority), "192.168.1.20")


def test_the_fingerprint_is_the_one_that_a_phone_shows(tmp_path: Path) -> None:
    authority = lan.certificate(tmp_path, "192.168.1.20").authority
    shown = hashlib.sha256(ssl.PEM_cert_to_DER_cert(authority.read_text())).hexdigest().upper()

    assert lan.fingerprint(authority).replace(":", "") == shown
    assert lan.fingerprint(authority).count(":") == 31


def test_the_certificate_is_good_for_its_own_address_alone(tmp_path: Path) -> None:
    certificate = lan.certificate(tmp_path, "192.168.1.20")

    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(certificate, lan.trusting(certificate.authority), "192.168.1.21")


def test_the_authority_cannot_speak_for_the_internet(tmp_path: Path) -> None:
    certificate = lan.certificate(tmp_path, "8.8.8.8")

    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree"):
        _handshake(certificate, lan.trusting(certificate.authority), "8.8.8.8")


def test_strangers_do_not_trust_it(tmp_path: Path) -> None:
    certificate = lan.certificate(tmp_path, "192.168.1.20")

    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(certificate, ssl.create_default_context(), "192.168.1.20")


def test_the_authority_stays_when_the_address_changes(tmp_path: Path) -> None:
    first = lan.certificate(tmp_path, "192.168.1.20")
    authority = first.authority.read_bytes()
    second = lan.certificate(tmp_path, "10.0.0.7")

    assert second.authority.read_bytes() == authority
    names = x509.load_pem_x509_certificate(second.chain.read_bytes()).extensions
    found = names.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(found) == [x509.IPAddress(ipaddress.ip_address("10.0.0.7"))]


def test_keys_are_their_owners_alone(tmp_path: Path) -> None:
    lan.certificate(tmp_path, "192.168.1.20")

    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "lan").iterdir()} == {0o600}


def test_the_address_is_shown_as_a_picture(tmp_path: Path) -> None:
    assert "█" in lan.picture("https://192.168.1.20:8080/territoire") or "▀" in lan.picture(
        "https://192.168.1.20:8080/"
    )
