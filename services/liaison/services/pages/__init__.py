"""The pages: desks for those who have no FHIR software, over the same engine and the same rights as the API.

How to write a desk
-------------------
A desk is a folder pages/<desk>/ with `routes.py` (found by itself at start), its templates in pages/<desk>/templates/
(named '<desk>/x.html') and its English in pages/locale/en/LC_MESSAGES/<desk>.po.

    from liaison.services.pages.layout import render
    from liaison.services.pages.page import page
    from liaison.services.pages.record import Record
    from liaison.services.pages.signed_in import signed_in

    async def my_patients(request):
        caller, me = await signed_in(request)           # sends to the sign-in page and back when nobody is there
        record = Record(request.app.state.house.engine, caller)
        return render(request, "clinician/patients.html", patients=await record.search("Patient"))

    def routes():
        return [page("/mes-patients", my_patients)]      # methods=("GET", "POST") for forms, roles=frozenset({"gp"})

    HOMES = {"gp": "/mes-patients"}                      # where each role lands after signing in

    {% extends "base.html" %}
    {% block title %}{% trans %}Mes patients{% endtrans %}{% endblock %}
    {% block navigation %}<li><a href="/mes-patients" aria-current="page">…</a></li>{% endblock %}
    {% block content %}<h1 class="govuk-heading-l">{% trans %}Mes patients{% endtrans %}</h1>{% endblock %}

* One <h1>, a unique title; French in the source, each string in {% trans %} or gettext; filters: day, on_day, clock,
  moment (Europe/Paris). A test fails on a string without English.
* Components: {% from "govuk_frontend_jinja/components/button/macro.html" import govukButton %}. Give every text: their
  defaults are English. Wide tables go inside <div class="liaison-scroll" tabindex="0" role="region" aria-label="…">.
* Each form carries <input type="hidden" name="csrf" value="{{ csrf }}">; scripts send the header X-CSRF-Token. No state
  changes on GET. After a POST: RedirectResponse(…, status_code=303).
* No inline script, no style attribute, no onclick: the policy forbids them. Scripts are files in pages/static/, loaded
  with <script type="module" src="{{ static('x.js') }}"></script> in the block `head`.
* A page never touches the store: it asks the engine, so that it is filtered and journaled like any caller. FhirError
  raised in an endpoint becomes a page in plain words.
* In templates: `me` (name, role_code, role_label, organization_name, person, role_reference, organization_reference),
  `csrf`, `lang`, `path`, `static()`.

layout      the frame, its headers, `render`
page        a route that is a page: form checks, refusals
signed_in   who is there
sign_in     signing in and out, choosing a role, my connections
languages   French in the source, English beside it
"""
