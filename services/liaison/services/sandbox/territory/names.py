"""Given names by the decades in which they were given, and family names of the region. Invented combinations."""

from random import Random
from typing import Final

FAMILIES: Final = (
    "Le Goff", "Le Roux", "Guégan", "Le Floch", "Nicolas", "Jégo", "Robic", "Evanno", "Le Corre", "Thomas", "Cadic",
    "Guillou", "Audran", "Le Moing", "Perron", "Rivalain", "Samson", "Lorho", "Kervadec", "Le Tallec", "Colin",
    "Danielo", "Jouan", "Le Pavec", "Rault", "Burel", "Moisan", "Hervio", "Lucas", "Le Cunff", "Gautier", "Pasco",
    "Le Sommer", "Tréhin", "Conan", "Maho", "Le Mouël", "Bellec", "Ollivier", "Huet", "Marchand", "Rouxel", "Gicquel",
    "Lemaire", "Fontaine", "Da Silva", "Benali", "Nguyen", "Kowalski", "Bonnet",
)  # fmt: skip

_GIVEN: Final = {
    # Names given before 1945, until 1965, until 1985, after; feminine then masculine.
    1900: (
        ("Yvonne", "Marie-Thérèse", "Germaine", "Simone", "Jeannine", "Anne-Marie", "Denise", "Odette", "Solange",
         "Paulette", "Marcelle", "Thérèse"),
        ("Marcel", "Joseph", "René", "Louis", "Roger", "Jean", "André", "Eugène", "Raymond", "Albert", "Lucien"),
    ),
    1945: (
        ("Monique", "Annick", "Nicole", "Marie-Claire", "Josiane", "Françoise", "Chantal", "Danielle", "Bernadette",
         "Martine", "Colette"),
        ("Jean-Yves", "Michel", "Bernard", "Alain", "Daniel", "Gérard", "Christian", "Jean-Claude", "Loïc", "Patrick",
         "Hervé", "Joël"),
    ),
    1965: (
        ("Nathalie", "Sandrine", "Valérie", "Karine", "Soizic", "Stéphanie", "Céline", "Laëtitia"),
        ("Erwan", "Stéphane", "Laurent", "Gwenaël", "Ronan", "Christophe", "Frédéric", "Mickaël"),
    ),
    1985: (
        ("Marine", "Aurélie", "Morgane", "Léa", "Enora", "Manon", "Chloé"),
        ("Maxime", "Thomas", "Quentin", "Malo", "Ewen", "Lucas", "Hugo"),
    ),
}  # fmt: skip


def given_names(random: Random, sex: str, age: int) -> list[str]:
    """Two or three given names of the person's time; the first is the one used. By age and not by birth date, so that
    the same person keeps their name whatever the day the territory is made for."""
    decade = max(start for start in _GIVEN if start <= 2026 - age)
    pool = _GIVEN[decade][1 if sex == "male" else 0]
    return random.sample(pool, k=3 if age > 61 else 2)


def family_name(random: Random) -> str:
    return random.choice(FAMILIES)
