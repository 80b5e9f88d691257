"""Two linked records and the directory they lead to, for the tests of chains."""

from typing import Any, Self

from liaison.fhir.store.contract import Key

from .conftest import Territory


class House:
    """Two patients the caller follows, each with an encounter and an observation in it; who received them, and where."""

    def __init__(self, territory: Territory) -> None:
        self.territory = territory
        self.names: dict[str, Key] = {}

    def ref(self, name: str) -> dict[str, str]:
        return {"reference": self.territory.store.reference(self.names[name])}

    async def add(self, name: str, tree: dict[str, Any], owner: str = "") -> Key:
        if owner:
            tree = {"subject": self.ref(owner)} | tree
        key = await self.territory.add(tree, self.names[owner] if owner else None)
        self.names[name] = key
        return key

    async def encounter(self, name: str, owner: str, code: str, **more: Any) -> Key:
        tree = {"resourceType": "Encounter", "status": "finished", "class": {"code": code}, **more}
        return await self.add(name, tree, owner)

    async def observation(self, name: str, owner: str, code: str = "8867-4", **more: Any) -> Key:
        return await self.add(
            name,
            {"resourceType": "Observation", "status": "final", "code": {"coding": [{"code": code}]}, **more},
            owner,
        )

    async def patient(self, called: str, *, seen: bool = True, **more: Any) -> Key:
        key = self.names[called] = await self.territory.patient(**more)
        if seen:
            await self.territory.grant(key.patient, 1)
        return key

    async def found(self, type_: str, query: str, **more: Any) -> str:
        """The names of what is found, in alphabetical order. `{name}` in the query is an id."""
        ids = {name: self.territory.id(key) for name, key in self.names.items()}
        result = await self.territory.search(type_, query.format(**ids) + "&_count=1000", **more)
        assert result.total == len(result.ids)
        named = {id_: name for name, id_ in ids.items()}
        return " ".join(sorted(named[one] for one in result.ids))

    @classmethod
    async def furnished(cls, territory: Territory) -> Self:
        made = cls(territory)
        await made.add("hospital", {"resourceType": "Organization", "name": "Hôpital d'Aurillac"})
        await made.add("lungs", {"resourceType": "Organization", "name": "Pneumologie", "partOf": made.ref("hospital")})
        await made.add("unit", {"resourceType": "Organization", "name": "Unité 2", "partOf": made.ref("lungs")})
        await made.add("durand", {"resourceType": "Practitioner", "name": [{"family": "Durand"}], "active": True})
        await made.add("petit", {"resourceType": "Practitioner", "name": [{"family": "Petit"}]})
        await made.patient(
            "zoe", name=[{"family": "Lefèvre"}], birthDate="1948-03-02", generalPractitioner=[made.ref("petit")]
        )
        await made.patient("paul", name=[{"family": "Petit"}], birthDate="1971", managingOrganization=made.ref("unit"))
        for owner, code, doctor in (("zoe", "HH", "durand"), ("paul", "AMB", "petit")):
            await made.encounter(
                f"e-{owner}",
                owner,
                code,
                serviceProvider=made.ref("unit"),
                participant=[{"individual": made.ref(doctor)}],
            )
            await made.observation(f"o-{owner}", owner, encounter=made.ref(f"e-{owner}"))
        await made.observation("alone", "zoe", "9279-1", performer=[made.ref("zoe")])
        return made
