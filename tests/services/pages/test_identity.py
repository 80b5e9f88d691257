"""Who a person is on every page: which of their names stands, when they were born and that they died."""

from datetime import date
from html import unescape
from typing import Any

import pytest

from liaison.auth.access.identity import RELIABILITY
from liaison.auth.access.traits import traits_of
from liaison.services.pages.layout import environment
from liaison.services.pages.reading.contact import contact, ways
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.moments import moment
from liaison.services.pages.signed_in import human_name

Tree = dict[str, Any]
NOW = moment("2026-11-29T08:00:00Z")
UNSAID = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}


def said(source: str, language: str = "fr", **known: Any) -> str:
    return environment(language).from_string(source).render(**known).strip()


@pytest.mark.parametrize(
    ("patient", "language", "told"),
    [
        ({"gender": "female", "deceasedDateTime": "2026-03-01"}, "fr", "Décédée le 1er mars 2026"),
        ({"gender": "male", "deceasedDateTime": "2026-03-02T04:10:00Z"}, "fr", "Décédé le 2 mars 2026"),
        ({"gender": "other", "deceasedDateTime": "2026-03"}, "fr", "Décédé(e) en mars 2026"),
        ({"gender": "female", "deceasedDateTime": "2026"}, "fr", "Décédée en 2026"),
        ({"gender": "female", "deceasedBoolean": True}, "fr", "Décédée, date inconnue"),
        ({"gender": "male", "_deceasedDateTime": UNSAID}, "fr", "Décédé, date inconnue"),
        ({"gender": "female", "deceasedDateTime": "2026-03-01"}, "en", "Died on 1 March 2026"),
        ({"gender": "female", "deceasedBoolean": True}, "en", "Died, date unknown"),
        ({"gender": "female", "deceasedBoolean": False}, "fr", ""),
        ({"gender": "female"}, "fr", ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_death_is_told_in_the_gender_of_the_person_and_at_its_precision(
    patient: Tree, language: str, told: str
) -> None:
    assert said("{{ who | death }}", language, who=identity(patient)) == told


BANNER = '{% include "clinician/person.html" %}'


def test_the_banner_of_identity_says_that_the_person_is_dead() -> None:
    who = identity({"gender": "female", "birthDate": "1941-03-02", "deceasedDateTime": "2020-03-01"})

    page = said(BANNER, who=who, today=NOW.date())

    assert "Décédée le 1er mars 2020" in page
    assert "(78 ans)" in page, "the age at death, not the age that was never reached"


def test_the_banner_of_who_lives_says_nothing_of_a_death() -> None:
    page = said(BANNER, who=identity({"gender": "male", "birthDate": "1941-03-02"}), today=NOW.date())

    assert "écédé" not in page
    assert "(85 ans)" in page


def _comment(code: str) -> Tree:
    inner = [{"url": "identityReliability", "valueCoding": {"code": code}}]
    return {"extension": [{"url": RELIABILITY, "extension": inner}]}


@pytest.mark.parametrize(
    ("patient", "told"),
    [
        ({"active": False, "link": [{"type": "replaced-by", "other": {}}]}, "Dossier remplacé par un autre"),
        ({"active": False}, "Dossier qui ne sert plus"),
        (_comment("HOMA"), "Homonyme : vérifiez que c'est la bonne personne"),
        (_comment("DOUT"), "Identité douteuse"),
        (_comment("FICT"), "Identité fictive"),
        ({"active": True, "link": [{"type": "replaces", "other": {}}]}, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_record_that_is_not_to_be_relied_on_says_so_on_the_banner_and_in_lists(patient: Tree, told: str) -> None:
    who = identity(patient)
    listed = said('{% from "clinician/beside.html" import beside %}{{ beside(who) }}', who=who)
    banner = unescape(said(BANNER, who=who, today=NOW.date()))

    assert (told in unescape(listed), told in banner) == (True, True)
    assert ("liaison-warning" in banner, "govuk-tag" in listed) == (bool(told), bool(told))


@pytest.mark.parametrize(
    ("born", "told"),
    [
        ("1900", "1900 (jour inconnu)"),
        ("1900-05", "mai 1900 (jour inconnu)"),
        ("1941-03-02", "dimanche 2 mars 1941 (85 ans)"),
        ("", "Date de naissance inconnue"),
    ],
)
def test_a_date_of_birth_is_told_at_the_precision_that_it_has(born: str, told: str) -> None:
    patient = {"birthDate": born} if born else {}

    assert told in " ".join(said(BANNER, who=identity(patient), today=NOW.date()).split())


def _name(use: str, family: str, **period: str) -> Tree:
    return {"family": family, **({"use": use} if use else {}), **({"period": period} if period else {})}


@pytest.mark.parametrize(
    ("names", "family", "used"),
    [
        ([_name("old", "ANCIEN"), _name("official", "MARTIN")], "MARTIN", ""),
        ([_name("official", "ANCIEN", end="2020"), _name("official", "MARTIN", start="2020")], "MARTIN", ""),
        ([_name("", "ANCIEN", end="2020-01-01"), _name("", "MARTIN")], "MARTIN", ""),
        ([_name("official", "MARTIN"), _name("usual", "LE GOFF", end="2019-06")], "MARTIN", ""),
        ([_name("official", "MARTIN"), _name("usual", "ANCIEN", end="2019"), _name("usual", "LE GOFF")], "MARTIN", "LE GOFF"),
        ([_name("official", "MARTIN"), _name("usual", "FUTUR", start="2999")], "MARTIN", ""),
        ([_name("official", "LE GOFF"), _name("maiden", "MARTIN")], "MARTIN", "LE GOFF"),
        ([_name("maiden", "MARTIN", end="1965"), _name("", "LE GOFF")], "MARTIN", "LE GOFF"),
        ([_name("nickname", "NÉNETTE"), _name("", "MARTIN")], "MARTIN", ""),
        ([_name("official", "MARTIN", end="2020")], "MARTIN", ""),
        ([_name("old", "MARTIN")], "MARTIN", ""),
    ],
    ids=["old", "an official name that ended", "no use", "a name in use that ended", "two in use", "not begun",
         "maiden beside official", "maiden alone", "a nickname", "none stands", "old alone"],
)  # fmt: skip
def test_a_name_that_ended_is_not_shown_for_the_one_that_stands(names: list[Tree], family: str, used: str) -> None:
    who = identity({"name": names, "meta": {"lastUpdated": "2026-11-29T08:00:00Z"}})

    assert (who.family, who.used) == (family, used)


@pytest.mark.parametrize(
    "names",
    [
        [_name("official", "LE GOFF"), _name("maiden", "MARTIN")],
        [_name("", "AUTRE"), _name("official", "MARTIN")],
        [_name("official", "ANCIEN", end="2020"), _name("official", "MARTIN")],
        [_name("official", "MARTIN", end="2999"), _name("usual", "LE GOFF")],
        [_name("old", "ANCIEN"), _name("usual", "MARTIN")],
    ],
    ids=["maiden", "no use first", "an official name that ended", "one that will end", "in use alone"],
)
def test_the_name_of_birth_that_is_shown_is_the_one_that_is_matched(names: list[Tree]) -> None:
    assert (identity({"name": names}).family, traits_of({"name": names}).family) == ("MARTIN", "MARTIN")


def test_addresses_and_telephones_that_ended_are_left_out() -> None:
    ended, soon = {"end": "2026-11-28"}, {"start": "2026-12-03"}
    patient = {
        "address": [
            {"text": "1 rue Haute", "period": ended},
            {"text": "2 rue Haute", "use": "old"},
            {"text": "3 rue Haute", "period": {"end": "2026-11-29"}},
            {"text": "4 rue Haute", "period": soon},
            {"text": "chez sa fille", "use": "temp", "period": {"start": "2026-11-01", "end": "2026-12-15"}},
            {"text": "chez son fils", "use": "temp", "period": ended},
        ],
        "telecom": [
            {"system": "phone", "value": "01", "period": ended},
            {"system": "phone", "value": "02", "use": "old"},
            {"system": "phone", "value": "03"},
        ],
    }

    assert [text for text, _link in contact(patient, NOW)] == [
        "chez sa fille (pour un temps)",
        "3 rue Haute",
        "03",
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Odette L.", "Visite d’Odette L."),
        ("Émile L.", "Visite d’Émile L."),
        ("eugénie", "Visite d’eugénie"),
        ("Hélène L.", "Visite d’Hélène L."),
        ("Henri", "Visite d’Henri"),
        ("Yves", "Visite d’Yves"),
        ("Yvonne", "Visite d’Yvonne"),
        ("Yann", "Visite de Yann"),
        ("Yaëlle", "Visite de Yaëlle"),
        ("Hassan", "Visite de Hassan"),
        ("Marie-Odette", "Visite de Marie-Odette"),
        ("<b>Odette", "Visite de &lt;b&gt;Odette"),
    ],
)
def test_de_is_elided_before_a_vowel_and_a_mute_h(name: str, told: str) -> None:
    source = "{% filter elided %}{% trans who=name %}Visite de {{ who }}{% endtrans %}{% endfilter %}"

    assert said(source, name=name) == told
    assert said(source, "en", name="Odette") == "Visit Odette"


def test_an_age_is_that_of_today_or_of_the_day_of_death() -> None:
    born = {"birthDate": "1941-03-02"}
    today = date(2026, 11, 29)

    assert identity({**born, "deceasedDateTime": "2020-03-01"}).age(today) == 78
    assert identity({**born, "deceasedDateTime": "2020"}).age(today) is None
    assert identity({**born, "deceasedBoolean": True}).age(today) is None
    assert identity(born).age(today) == 85


def test_the_number_to_call_is_one_that_holds_today_the_preferred_first() -> None:
    tree = {
        "telecom": [
            {"system": "phone", "value": "01", "use": "old"},
            {"system": "phone", "value": "02", "period": {"end": "2026-11-28"}},
            {"system": "email", "value": "a@example.org"},
            {"system": "phone", "value": "03", "rank": 2},
            {"system": "phone", "value": "04", "rank": 1},
            {"system": "phone"},
        ]
    }

    assert ways(tree, "phone", NOW) == ["04", "03"]
    assert ways({}, "phone", NOW) == []


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([{"use": "official", "family": "Le Bris", "given": ["Anne"]}], "Anne Le Bris"),
        ([{"use": "old", "text": "Anne Morvan"}, {"text": "Anne Le Bris"}], "Anne Le Bris"),
        ([{"use": "official", "text": "Anne Morvan", "period": {"end": "2019"}}, {"text": "Anne Le Bris"}], "Anne Le Bris"),
        ([{"use": "old", "text": "Anne Morvan"}], "Anne Morvan"),
        ([{"family": "Le Bris", "given": [None, "Anne"]}], "Anne Le Bris"),
        ([], ""),
    ],
    ids=["official", "old before", "one that ended", "old alone", "a null", "none"],
)  # fmt: skip
def test_anyone_is_called_by_a_name_that_stands(names: list[Tree], told: str) -> None:
    assert human_name({"name": names}) == told
