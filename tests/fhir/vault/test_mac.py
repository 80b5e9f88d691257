import hashlib
import hmac

from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.vault.mac import Mac


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_it_is_hmac(key: bytes, message: bytes) -> None:
    assert Mac(key).digest(message) == hmac.digest(key, message, "sha256")
    assert Mac(key, hashlib.sha512).digest(message) == hmac.digest(key, message, "sha512")
