"""The caller of a request, as the token or the browser session gives it. Rights are not here: SQL looks them up."""

from dataclasses import dataclass

from liaison.auth.access.roles import ROLES
from liaison.auth.oauth2.confirmation import UNBOUND, Confirmation
from liaison.fhir.store.contract import Bound


@dataclass(frozen=True, slots=True)
class Caller:
    """Satisfies liaison.fhir.store.contract.Caller. All numbers are principals or rows; 0 means none.

    What is written here goes to the journal; nothing here ever widens what `access_session` gives.
    """

    session: int
    bound: Bound
    purpose: int
    role_code: str
    practitioner: int = 0
    role: int = 0
    organization: int = 0
    account: int = 0
    client: int = 0
    only_patient: int = 0
    acts_for: int = 0
    """The Practitioner replaced, supervising, or answering for a secretary (rows 8, 9, 10b), as the session began."""
    proven: str = ""
    """Who vouched for the person, and how far: "liaison 2" for two factors here, else the provider's issuer and `acr`."""
    bound_to: Confirmation = UNBOUND
    """What the token of this call is bound to: one that is issued in its stead is bound to the same."""

    @property
    def oneself(self) -> int:
        """The res of the Patient or RelatedPerson who is signed in as that person; 0 for anyone else."""
        role = ROLES.get(self.role_code)
        return self.practitioner if role is not None and role.category == "person" else 0

    @property
    def identity(self) -> tuple[int | str, ...]:
        """The person, role, organisation, purpose and client: what a renewed session has in common with the last."""
        return (
            self.account,
            self.client,
            self.practitioner,
            self.role,
            self.organization,
            self.purpose,
            self.role_code,
            self.only_patient,
        )
