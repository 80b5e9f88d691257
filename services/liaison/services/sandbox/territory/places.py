"""The three invented municipalities, their streets, and the real towns where people were born.

The municipalities' INSEE codes are unassigned ones of the department; telephone numbers come from the ranges that
ARCEP keeps for fiction (02 61 91, 06 39 98).
"""

from dataclasses import dataclass
from random import Random
from typing import Final

from liaison.services.sandbox.territory import systems
from liaison.services.sandbox.territory.shapes import Tree, coding


@dataclass(frozen=True, slots=True)
class Commune:
    name: str
    insee: str
    postal_code: str
    streets: tuple[str, ...]
    hamlets: tuple[str, ...]

    def address(self, line: str, *more: str, use: str = "") -> Tree:
        """An Address with its INSEE code, as FR Core carries it."""
        tree: Tree = {
            "extension": [
                {
                    "url": f"{systems.FR_CORE}/fr-core-address-insee-code",
                    "valueCoding": coding(systems.COMMUNE, self.insee),
                }
            ],
            "line": [line, *more],
            "city": self.name,
            "postalCode": self.postal_code,
            "country": "FRA",
        }
        return {"use": use, **tree} if use else tree

    def home(self, random: Random) -> Tree:
        """Somewhere to live: one household in three is in a hamlet without street numbers."""
        if random.random() < 0.35:
            return self.address(f"Lieu-dit {random.choice(self.hamlets)}", use="home")
        return self.address(f"{random.randint(1, 48)} {random.choice(self.streets)}", use="home")


KERVANEC: Final = Commune(
    "Kervanec-sur-Scorle",
    "56901",
    "56998",
    (
        "rue de l'Église",
        "rue des Écoles",
        "place du Champ-de-Foire",
        "rue du Lavoir",
        "venelle du Four",
        "rue de la Scorle",
    ),
    ("Kerbihan", "Le Moustoir", "Coët-Laez", "Penhoat", "Le Stang"),
)
SAINT_NINNOC: Final = Commune(
    "Saint-Ninnoc-les-Landes",
    "56902",
    "56998",
    ("route de la Chapelle", "rue du Bourg", "rue des Ajoncs", "impasse du Puits", "rue de la Mairie"),
    ("La Ville-Oger", "Les Rochelles", "Kergroas", "Le Cosquer", "Bot-Conan"),
)
LANVERZIC: Final = Commune(
    "Lanverzic",
    "56903",
    "56999",
    (
        "rue Nationale",
        "boulevard de la Gare",
        "rue des Halles",
        "rue du Général-de-Gaulle",
        "quai de la Scorle",
        "rue Anne-de-Bretagne",
        "allée des Camélias",
    ),
    ("Toul-Broc'h", "Le Resto", "Kermarec"),
)
COMMUNES: Final = (KERVANEC, SAINT_NINNOC, LANVERZIC)

BIRTHPLACES: Final = (
    ("56178", "Pontivy"),
    ("56121", "Lorient"),
    ("56260", "Vannes"),
    ("29024", "Carhaix-Plouguer"),
    ("22278", "Saint-Brieuc"),
    ("29232", "Quimper"),
    ("29019", "Brest"),
    ("35238", "Rennes"),
    ("44109", "Nantes"),
    ("22136", "Loudéac"),
    ("53130", "Laval"),
    ("75114", "Paris 14e Arrondissement"),
)


def landline(number: int) -> str:
    return f"02 61 91 {number // 100 % 100:02d} {number % 100:02d}"


def mobile(number: int) -> str:
    return f"06 39 98 {number // 100 % 100:02d} {number % 100:02d}"
