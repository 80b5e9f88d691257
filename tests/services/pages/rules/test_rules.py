"""The page of rules says the table in force, whole, to anyone, and in English too."""

import html

from liaison.auth.access.classes import Class
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import packaged
from liaison.services.pages.languages import translations
from liaison.services.pages.reading import classes

from ...oauth.conftest import Place


async def test_every_row_is_told_to_anyone_with_its_version(place: Place) -> None:
    table = packaged()
    async with place.browser() as browser:
        answer = await browser.get("/regles")
        text = html.unescape(answer.text)

        assert answer.status_code == 200
        assert f"version {table.version}" in text
        say = translations("fr").gettext
        assert [row.label for row in table.rows if say(row.text) not in text] == []
        assert "Ce que cela veut dire pour moi" not in text


async def test_my_own_rules_come_first(place: Place) -> None:
    async with place.signed_in() as browser:
        text = html.unescape((await browser.get("/regles")).text)
        mine = text.partition("Toutes les règles")[0]

        assert "Ce que cela veut dire pour moi (Infirmier)" in mine
        assert "Un professionnel de santé de l'équipe de soins lit" in mine
        assert "L'aide à domicile voit" not in mine


def test_every_row_has_its_english_and_every_word_its_french() -> None:
    english = translations("en").gettext

    assert [row.label for row in packaged().rows if english(row.text) == row.text] == []
    assert set(classes.CLASSES) == set(Class) - {Class.DIRECTORY}
    used = {one for line in packaged().lines for one in line.relations}
    assert used <= classes.RELATIONS.keys() <= set(Relation)


def test_what_a_role_reads_in_a_team_is_what_the_table_says() -> None:
    assert classes.read_in_the_team(packaged(), "home-aide") == Class.ADM | Class.SAFETY | Class.HOMEPLAN
    assert not classes.read_in_the_team(packaged(), "home-aide", informed=False)
    assert not classes.read_in_the_team(packaged(), "nurse") & (Class.PSY | Class.SENS | Class.MASKED)
    assert Class.SENS in classes.read_in_the_team(packaged(), "gp")
