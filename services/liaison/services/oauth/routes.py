"""The endpoints of the authorization server."""

from starlette.routing import BaseRoute, Route

from liaison.services.oauth import (
    authorize,
    discovery,
    introspection,
    logout,
    prompting,
    pushing,
    revocation,
    token,
    userinfo,
)
from liaison.services.oauth.cors import open_to_apps
from liaison.services.pages.page import page


def routes() -> list[BaseRoute]:
    """Each endpoint reads the open house from `request.app.state.house`."""
    smart, openid = discovery.smart_configuration, discovery.openid_configuration
    return [
        Route("/.well-known/smart-configuration", smart, methods=["GET"]),
        # liaison.services.application brings the same address below the FHIR base here.
        Route("/.well-known/openid-configuration", openid, methods=["GET"]),
        Route("/.well-known/oauth-authorization-server", openid, methods=["GET"]),
        Route("/oauth/jwks", discovery.jwks, methods=["GET"]),
        open_to_apps("/oauth/token", token.token),
        open_to_apps("/oauth/par", pushing.push),
        open_to_apps("/oauth/revoke", revocation.revoke),
        open_to_apps("/oauth/introspect", introspection.introspect),
        open_to_apps("/oauth/userinfo", userinfo.userinfo, ("GET", "POST")),
        page("/oauth/authorize", authorize.authorize, methods=("GET", "POST"), changes_nothing=True),
        page("/oauth/consent", authorize.decide, methods=("POST",)),
        page("/oauth/account", prompting.take_choice, methods=("POST",)),
        page("/oauth/logout", logout.logout, methods=("GET", "POST"), changes_nothing=True),
        page("/oauth/logout/confirm", logout.leave, methods=("POST",)),
    ]
