"""What a sentence says by its words, as they are written in French care, and in spite of what hides a word from a search."""

from liaison.auth.access.class_words import Words, heard, indexed, meant
from liaison.auth.access.classes import Class
from liaison.auth.access.classify import own_classes

SENS = """séropositif depuis 2009 | charge virale indétectable | V.I.H. positif | H I V négatif | VIH1 sous trithérapie | VHI positif
can\u00adnabis quotidien | VI\u200bH positif | canna-\nbis | fume du shit | consommation de THC | joints quotidiens | MDMA, ecstasy
toxico sevré | usager de drogues | suivi au CSAPA | addictologie | sous TSO | alcoolique sevré | éthylo-tabagique | alcolisme
intoxication alcoolique aiguë | boit 1 L de vin par jour | OH chronique | exogénose | delirium tremens | Aotal | Esperal | Selincro
syphillis traitée | siphilis | TPHA VDRL positifs | chlamydia positif | IST à répétition | sous PrEP | rapports non protégés
homosexuel | prostitution | dysphorie de genre | a eu une IVG en 2019 | IVG médicamenteuse, cardiopathie | G4P2, 2 IVG
avortement volontaire | pilule du lendemain | battue par son mari | coups et blessures | abusée sexuellement | attouchements
violée à 17 ans | maltraitée par sa fille | mutilations sexuelles | mariage forcé | agressée par le compagnon"""
PSY = """schizofrénie | schyzophrène | bipolaire sous lithium | trouble de la personnalité | hospitalisée en psychiatrie | HDT en 2015
soins sans consentement | suivi par un psychiatre | bouffée délirante | délire de persécution"""
NEITHER = """IVG sur cardiopathie, FEVG 35 % | signes d'IVG : crépitants | stéatohépatite non alcoolique | solution alcoolique | gel hydroalcoolique
état limite de la prothèse | prothèse de hanche bipolaire | avortement spontané en 1985 | pneumopathie à Chlamydia pneumoniae
trithérapie antihypertensive | drogues vasoactives | polyarthrite séropositive | charge virale VHC | contraception orale | tabac
dépendance à l'oxygène | sevrage tabagique | excision d'un carcinome | prostatite | hiver | prep colique | ordonnance de stupéfiants
idées suicidaires | dépression saisonnière | sujet âgé dépendant | crise convulsive | un verre de vin rouge"""


def _of(sentence: str) -> Class:
    return own_classes({"resourceType": "Condition", "note": [{"text": sentence}]}) & (Class.SENS | Class.PSY)


def _each(sentences: str) -> list[str]:
    return [one.strip(" ") for line in sentences.split("\n") for one in line.split(" | ")]


def test_what_is_sensitive_is_heard_as_people_write_it() -> None:
    assert [
        one for one in _each(SENS.replace("canna-\n", "canna-¶")) if not _of(one.replace("¶", "\n")) & Class.SENS
    ] == []
    assert [one for one in _each(PSY) if not _of(one) & Class.PSY] == []


def test_and_what_is_written_like_it_passes() -> None:
    assert [(one, _of(one)) for one in _each(NEITHER) if _of(one)] == []


def test_another_meaning_is_that_of_the_words_beside_and_not_of_a_whole_letter() -> None:
    letter = "{} Par ailleurs le patient va bien, il dort et il mange ; l'auscultation cardiaque est normale, prothèse de hanche, HTA."
    for said in (
        "Antécédent : IVG.",
        "Séropositif.",
        "Patient bipolaire.",
        "Consomme des drogues.",
        "Sous trithérapie.",
    ):
        assert _of(letter.format(said)), said
    assert _of("IVG en 2019, cardiopathie") and _of(
        "Stéatohépatite non alcoolique. Son mari est alcoolique et boit chaque jour"
    )
    assert not _of(letter.format("Signes d'IVG sur cardiopathie."))


def test_a_text_is_heard_as_it_stands_and_with_what_is_cut_put_together() -> None:
    assert heard("Éthylisme, Œdème") == (" ethylisme oedeme ",)
    assert heard("le V.I.H. est") == (" le v i h est ", " le vih est ")
    assert heard("dépendance à l'alcool")[0] == " dependance a l alcool "
    assert heard("") == ("  ",)


def test_a_beginning_of_two_letters_is_found_as_one_of_twenty() -> None:
    index = indexed(
        [
            Words(Class.SENS, ("ab*", "l de vin")),
            Words(Class.PSY, ("xyz",), prose=False),
            Words(Class.PROT, ("x",), unless=("y",)),
        ]
    )
    said = {
        one: meant(index, one, prose=True) for one in ("un abcès", "1 L de vin", "xyz", "x", "x y", "cab", "l de vins")
    }
    assert said == {"un abcès": Class.SENS, "1 L de vin": Class.SENS, "xyz": Class(0), "x": Class.PROT, "x y": Class(0), "cab": Class(0),
                    "l de vins": Class(0)}  # fmt: skip
    assert meant(index, "xyz", prose=False) == Class.PSY
