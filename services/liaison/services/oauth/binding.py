"""What the token of a call to the token endpoint is bound to: RFC 9449 §5, RFC 8705 §3."""

from starlette.requests import Request

from liaison.auth.oauth2 import rfc8705, rfc9440, rfc9449
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.confirmation import JKT, UNBOUND, Confirmation
from liaison.auth.oauth2.errors import InvalidDpopProof
from liaison.auth.oauth2.rfc6750 import Call

Pairs = list[tuple[str, str]]


async def binding(request: Request, client: Client) -> Confirmation:
    """A client registered for one has to show it. Any other gets a bound token when it sends a proof (RFC 9449 §5).

    Raises InvalidDpopProof, UseDpopNonce or InvalidRequest."""
    if client.binding == "mtls":
        return rfc8705.confirmation(request.headers.get(rfc9440.HEADER, ""))
    if client.binding == "dpop" or "dpop" in request.headers:
        return Confirmation(JKT, await _proven_key(request, client))
    return UNBOUND


async def pushed_key(request: Request, client: Client, pairs: Pairs) -> Pairs:
    """A proof beside a pushed request binds the code that will come of it, as dpop_jkt would (RFC 9449 §10.1)."""
    if "dpop" not in request.headers:
        return pairs
    thumbprint = await _proven_key(request, client)
    if dict(pairs).get("dpop_jkt", thumbprint) != thumbprint:
        raise InvalidDpopProof("dpop_jkt is not the key of the proof.")
    return [*(pair for pair in pairs if pair[0] != "dpop_jkt"), ("dpop_jkt", thumbprint)]


def call_of(request: Request) -> Call:
    """What a bound token is measured by at an endpoint that is not below the FHIR base."""
    url = f"{request.app.state.house.settings.public_url}{request.url.path}"
    headers = request.headers
    return Call(request.method, "", headers.get("dpop", ""), headers.get(rfc9440.HEADER, ""), url)


async def _proven_key(request: Request, client: Client) -> str:
    house = request.app.state.house
    proofs = request.headers.getlist("dpop")
    if len(proofs) != 1:
        raise InvalidDpopProof("Exactly one header DPoP is needed.")
    url = f"{house.settings.public_url}{request.url.path}"
    now = house.database.clock.seconds()
    proof = rfc9449.read_proof(proofs[0], method=request.method, url=url, now=now)
    house.nonces.check(proof.nonce, now)
    await rfc9449.use(house.database.writing, client.number, proof)
    return proof.thumbprint
