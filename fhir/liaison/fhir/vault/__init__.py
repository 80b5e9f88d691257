from liaison.fhir.vault.context import context
from liaison.fhir.vault.keys import NotAuthentic, PatientKey
from liaison.fhir.vault.provider import FileKeyProvider, KeyProvider, ProviderError
from liaison.fhir.vault.vault import Vault

__all__ = [
    "FileKeyProvider",
    "KeyProvider",
    "NotAuthentic",
    "PatientKey",
    "ProviderError",
    "Vault",
    "context",
]
