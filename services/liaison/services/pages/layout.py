"""Every page's frame: the Jinja environment, the headers that confine the page, and `render`."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_time
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from liaison.auth.people import phones
from liaison.auth.people.managers import SELF_EMPLOYED
from liaison.services.pages import cookies
from liaison.services.pages.calendar_words import day_said, last_day_before, moment_said
from liaison.services.pages.form_tokens import numbered
from liaison.services.pages.languages import COOKIE, language_of, translations
from liaison.services.pages.reading import (
    activities,
    deaths,
    elision,
    kinds,
    measures,
    moments,
    people,
    rows,
    sentences,
    unread,
)
from liaison.services.pages.role_names import (
    CALLED,
    CHECKERS,
    COORDINATORS,
    LISTERS,
    MEETERS,
    PLANNERS,
    RECEIVERS,
    URGENT,
)
from liaison.services.pages.welcome.doors import BY_KEY

HERE = Path(__file__).parent
STATIC = HERE / "static"
_SUFFIX: Final = ".html"
PARIS = ZoneInfo("Europe/Paris")


def _templates() -> dict[str, str]:
    # Each desk may keep its templates beside its code: pages/<desk>/templates/x.html is named '<desk>/x.html'.
    desks = {p.parent.name: FileSystemLoader(p) for p in HERE.glob("*/templates") if p.is_dir()}
    components = {"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}
    loader = ChoiceLoader([FileSystemLoader(HERE / "templates"), PrefixLoader({**desks, **components})])
    reading = Environment(autoescape=True)
    return {name: loader.get_source(reading, name)[0] for name in loader.list_templates() if name.endswith(_SUFFIX)}


# Read with the code that they belong to: an update that is laid down under a running service changes nothing of its pages.
TEMPLATES: Final = MappingProxyType(_templates())


@cache
def static_url(name: str) -> str:
    """The address of a bundled file, with its digest: it may be kept for ever, and a change is seen at once."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def _local(moment: datetime) -> datetime:
    return moment.astimezone(PARIS)


@cache
def environment(language: str) -> Environment:
    """Autoescaping everywhere, no template from outside, one environment a language (so that nothing is shared)."""
    made = Environment(
        loader=DictLoader(TEMPLATES),
        autoescape=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    say = translations(language).gettext
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # by the extension
    made.globals.update(static=static_url, lang=language)
    made.globals.update(
        receivers=RECEIVERS,
        coordinators=COORDINATORS,
        planners=PLANNERS,
        listers=LISTERS,
        meeters=MEETERS,
        urgent=URGENT,
        called=CALLED,
    )
    made.globals.update(checkers=CHECKERS, self_employed=SELF_EMPLOYED, phone_managers=phones.MANAGERS)
    made.filters.update(
        activities=lambda tree: activities.told(tree, say),
        sentence=lambda tree: sentences.sentence(tree, say),
        kind=kinds.kind,
        author=lambda tree: people.said(sentences.author(tree), say),
        person=lambda display: people.said(display, say),
        value=lambda tree: measures.value(tree, say),
        whole=lambda tree: rows.framed(tree, measures.whole(tree, say), say),
        unread=lambda tree: unread.warning(tree, say),
        usual=lambda tree: measures.usual(tree, say),
        # For words that may come from a record: newstyle gettext takes a % in its text for a placeholder.
        spoken=say,
        happened=moments.happened,
        written=moments.written,
        late=moments.late,
        day=lambda value: day_said(value, "EEEE d MMMM y", language),
        last_day=lambda value: day_said(last_day_before(value), "d MMM y", language),
        on_day=lambda value: day_said(value, "d MMM y", language),
        iso_last_day=lambda value: last_day_before(value).isoformat(),
        iso_day=lambda value: _local(value).date().isoformat(),
        clock=lambda value: (
            format_time(_local(value), "HH:mm", locale=language).replace(":", " h ")
            if language == "fr"
            else format_time(_local(value), "HH:mm", locale=language)
        ),
        moment=lambda value: moment_said(_local(value), "d MMM y, HH:mm", language),
        when=lambda tree: moments.said(tree, language),
        known=lambda text: moments.day(text, language),
        death=lambda who: deaths.told(who, language, say),
        # The block that it filters is escaped already.
        elided=lambda block: Markup(elision.elided(block)) if language == "fr" else block,  # noqa: S704  # escaped by Jinja
    )
    return made


def content_security_policy(form_targets: Iterable[str] = ()) -> str:
    """Nothing inline, nothing from outside, no frame around us. `form_targets` are origins that the answer to a form
    of this page may redirect to (Chromium applies form-action to redirects), for the consent page only."""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            " ".join(["form-action 'self'", *form_targets]),
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ]
    )


def confine(request: Request, response: Response, form_targets: Iterable[str] = ()) -> Response:
    """Puts on the headers each page has: policy, no cache, no sniffing, no referrer, no frame."""
    response.headers["content-security-policy"] = content_security_policy(form_targets)
    response.headers["cache-control"] = "no-store"
    response.headers["x-content-type-options"] = "nosniff"
    response.headers["x-frame-options"] = "DENY"
    response.headers["referrer-policy"] = "no-referrer"
    response.headers["cross-origin-opener-policy"] = "same-origin"
    response.headers["permissions-policy"] = "camera=(), microphone=(), geolocation=()"
    response.headers["vary"] = "Cookie"
    chosen = request.query_params.get("lang")
    if chosen in ("fr", "en"):
        secure = cookies.secure(request)
        response.set_cookie(COOKIE, chosen, max_age=365 * 86400, httponly=True, samesite="lax", secure=secure)
    return response


def _same_page(request: Request, language: str) -> str:
    # Of the address that is shown, whatever its path: one that begins with // would name a host.
    return f"?{request.url.include_query_params(lang=language).query}"


def render(
    request: Request, template: str, *, status: int = 200, form_targets: Iterable[str] = (), **context: Any
) -> Response:
    """The page, with every header it needs. Templates extend 'base.html'; see liaison.services.pages.

    `me` (liaison.services.pages.people.Me) and `csrf` come by themselves once `signed_in(request)` has been called.
    """
    signed = getattr(request.state, "signed_in", None)
    context.setdefault("me", signed.me if signed else None)
    context.setdefault("csrf", numbered(signed.me.csrf) if signed else getattr(request.state, "csrf", ""))
    notice = getattr(request.app.state, "notice", "")
    context.setdefault("notice", notice)
    # In a sandbox, what to try as the person one is now stays one touch away.
    key = signed.me.account.username.replace("-", "_") if signed and notice else ""
    context.setdefault("sheet", f"/territoire/{key}" if key in BY_KEY else "")
    # Several people take turns on a phone of a service: who leaves makes room for the next. No right hangs on the word.
    context.setdefault("on_phone", bool(cookies.read(request, cookies.PHONE)))
    language = language_of(request)
    context.setdefault("other_language", _same_page(request, "en" if language == "fr" else "fr"))
    page = environment(language).get_template(template)
    body = page.render(request=request, path=request.url.path, **context)
    return confine(request, HTMLResponse(body, status_code=status), form_targets)
