"""`liaison retention plan, archive, reopen, apply, hold, lift, holds`: how long records are kept, and their destruction.

Nothing is printed but counts, days and the numbers of records. deploy/README.md tells the operator what to do when.
"""

import json
from typing import Annotated, Any, TypeVar

import typer

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.retention import holds as legal
from liaison.auth.retention import rules
from liaison.auth.retention.holds import NotHeld
from liaison.auth.retention.records import Record, patients_of
from liaison.services.command import Refused, app
from liaison.services.command.within import within
from liaison.services.custody import retaining
from liaison.services.custody.retaining import CHANGED, DESTROYED, HELD, UNSEEN, Plan
from liaison.services.house import House

T = TypeVar("T")

retention = typer.Typer(help="Retention: what is due, legal holds, and destroying what is due.", no_args_is_help=True)
app.add_typer(retention, name="retention")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
By = Annotated[str, typer.Option(help="The name of whoever decided, and their function.")]
Why = Annotated[str, typer.Option(help="The reason, or the reference of the decision. No clinical data.")]


async def _plan(house: House) -> Plan:
    async with house.database.writing.acquire() as connection, connection.transaction():
        await house.journal.record_within(
            connection, [Entry(Event.JOB, method="console", path="retention plan", detail={"act": Act.PLANNED})]
        )
        return await retaining.plan(connection, house)


def _data(house: House, found: Plan) -> dict[str, Any]:
    law = rules.in_force()

    def named(ones: tuple[Record, ...]) -> list[dict[str, Any]]:
        return [{"records": retaining.numbers(house, (one,)), **retaining.told(one)} for one in ones]

    return {
        "day": found.day.isoformat(),
        "rules": {"version": law.version, "date": law.dated.isoformat()},
        "records": len(found.records),
        "due": named(found.due),
        "due_by_a_death_alone": retaining.numbers(house, found.due_by_death),
        "held": named(found.held),
        "out_of_active_use": named(found.at_rest),
        "to_archive": named(found.to_archive),
        "archived": named(found.archived),
        "to_reopen": named(found.to_reopen),
        "open_stays": found.open_stays,
        "to_come": {str(year): count for year, count in found.to_come().items()},
    }


def _say(data: dict[str, Any]) -> None:
    typer.echo(f"{data['day']}, rules {data['rules']['version']}: {data['records']} records in force.")
    typer.echo(f"Out of active use: {len(data['out_of_active_use'])}. On legal hold: {len(data['held'])}.")
    typer.echo(
        f"Archived: {len(data['archived'])}. To archive: {len(data['to_archive'])}."
        f" Archived, and in use again: {len(data['to_reopen'])}."
    )
    if data["open_stays"]:
        typer.echo(f"With a stay that has no end, and so no term: {data['open_stays']}.")
    typer.echo(f"To be destroyed now: {len(data['due'])}.")
    for one in data["due"]:
        typer.echo(f"  {' '.join(one['records'])}  kept until {one['kept_until']} ({one['because']}, {one['rule']})")
    if by_death := data["due_by_a_death_alone"]:
        typer.echo(
            f"Of these, because of a death and nothing else: {len(by_death)}. They stay until `apply` is told with --deaths by what"
            " each death was established (the act that was seen, the file of deaths)."
        )
    for year, count in data["to_come"].items():
        typer.echo(f"  {year}: {count} to come")


@retention.command()
def plan(as_json: AsJson = False) -> None:
    """Print what is due and what is to come, by counts and record numbers. Changes nothing."""

    async def work(house: House) -> dict[str, Any]:
        return _data(house, await _plan(house))

    data = within(work, NotHeld)
    if as_json:
        typer.echo(json.dumps(data, indent=2))
    else:
        _say(data)


@retention.command()
def archive(by: By, why: Why, as_json: AsJson = False) -> None:
    """Close to the teams what has left active use, and open again what is in use again. Nothing is destroyed.

    An archived record is out of the teams' lists and searches. The person reads it as before; emergency access works."""

    async def work(house: House) -> dict[str, list[str]]:
        found = await _plan(house)
        done: dict[str, list[str]] = {"archived": [], "reopened": []}
        seen = retaining.at_console(Event.RIGHTS, "retention archive")
        for one in (*found.to_archive, *found.to_reopen):
            if await retaining.archive(house, one, by=by, why=why, told_by=seen):
                done["reopened" if one.archived else "archived"] += retaining.numbers(house, (one,))
        return done

    done = within(work, NotHeld)
    if as_json:
        typer.echo(json.dumps(done, indent=2))
    else:
        typer.echo(f"Archived: {len(done['archived'])}. Opened again: {len(done['reopened'])}.")


@retention.command()
def reopen(record: Annotated[str, typer.Argument(help="Patient/<id>.")], by: By, why: Why) -> None:
    """Open one archived record to its team again: the person is back, and has no INS to be joined by."""

    async def work(house: House) -> bool:
        type_, _, id_ = record.partition("/")
        key = house.store.key("Patient", id_) if type_ == "Patient" else None
        seen = retaining.at_console(Event.RIGHTS, "retention reopen")
        return key is not None and await retaining.reopen(house, key.patient, by=by, why=why, told_by=seen)

    if not within(work, NotHeld):
        raise Refused(f"{record} is not an archived record of this base (Patient/<id>).")
    typer.echo(f"{record} is open to its team again.")


@retention.command(name="apply")
def apply_(
    destroy: Annotated[bool, typer.Option("--destroy", help="Really destroy. Without it nothing is changed.")] = False,
    by: By = "",
    why: Why = "",
    deaths: Annotated[
        str, typer.Option(help="By what each death was established. Without it, what a death alone makes due stays.")
    ] = "",
    confirm: Annotated[int | None, typer.Option(help="How many records, instead of being asked.")] = None,
    as_json: AsJson = False,
) -> None:
    """Destroy the records that are due, one after the other. They do not come back, from no backup either.

    What is on legal hold stays. Stopped, it goes on when it is run again. Exit code 1: something due is still there."""
    if destroy and not (by.strip() and why.strip()):
        raise Refused("Destroying records needs --by and --why: who decided, and by which decision.", 2)

    async def look(house: House) -> tuple[Plan, dict[str, Any]]:
        found = await _plan(house)
        return found, _data(house, found)

    found, data = within(look, NotHeld)
    if not as_json:
        _say(data)
    if not destroy:
        typer.echo(json.dumps({**data, "dry": True}, indent=2) if as_json else "Nothing was changed (no --destroy).")
        return
    waiting = () if deaths.strip() else found.due_by_death
    due = tuple(one for one in found.due if deaths.strip() or not retaining.rests_on_a_death(one, found.day))
    if due:
        _confirmed(len(due), confirm)

    async def carry(house: House) -> dict[str, list[str]]:
        done: dict[str, list[str]] = {DESTROYED: [], HELD: [], CHANGED: [], UNSEEN: retaining.numbers(house, waiting)}
        try:
            for one in due:
                became = await retaining.destroy(house, one, by=by, why=why, deaths=deaths)
                done[became] += retaining.numbers(house, (one,))
        finally:
            await retaining.keep_outside(house)
            if gone := len(done[DESTROYED]):
                await retaining.tell_officer(house, gone)
        return done

    done = within(carry, NotHeld)
    if as_json:
        typer.echo(json.dumps(done, indent=2))
    else:
        typer.echo(f"Destroyed: {len(done[DESTROYED])}.")
        for left, words in ((HELD, "held meanwhile"), (CHANGED, "changed meanwhile"), (UNSEEN, f"due {UNSEEN}")):
            for number in done[left]:
                typer.echo(f"  {number}: kept ({words})")
    if done[HELD] or done[CHANGED] or done[UNSEEN]:
        raise typer.Exit(1)


def _confirmed(count: int, given: int | None) -> None:
    asked = f"{count} records will be destroyed for good. Type their number to go on"
    if (typer.prompt(asked, type=int, err=True) if given is None else given) != count:
        raise Refused(f"Not confirmed: {count} records are due. Nothing was destroyed.")


@retention.command()
def hold(
    record: Annotated[str, typer.Argument(help="Patient/<id>.")],
    ground: Annotated[str, typer.Option(help=f"{', '.join(legal.GROUNDS)}; litigation suspends the terms.")],
    by: By,
    why: Why,
) -> None:
    """Forbid that a record is destroyed, until the hold is lifted. Prints the number of the hold."""

    async def work(house: House) -> int:
        type_, _, id_ = record.partition("/")
        key = house.store.key("Patient", id_) if type_ == "Patient" else None
        if key is None:
            raise NotHeld(f"{record} is not a record of this base (Patient/<id>).")
        async with house.database.writing.acquire() as connection, connection.transaction():
            number = await legal.place(connection, house.vault, key.patient, ground=ground, by=by, why=why)
            await _journaled(house, connection, key.patient, {"act": Act.HELD, "ground": ground}, number, by, why)
            return number

    number = within(work, NotHeld)
    typer.echo(f"{record} is on hold: {number}.")


@retention.command()
def lift(number: Annotated[int, typer.Argument(help="The number of the hold.")], by: By, why: Why) -> None:
    """Lift a legal hold. A dispute's days are added to the terms."""

    async def work(house: House) -> None:
        async with house.database.writing.acquire() as connection, connection.transaction():
            patient = await legal.lift(connection, house.vault, number, by=by, why=why)
            await _journaled(house, connection, patient, {"act": Act.LIFTED}, number, by, why)

    within(work, NotHeld)
    typer.echo(f"Hold {number} is lifted.")


async def _journaled(
    house: House, connection: Any, patient: int, detail: dict[str, Any], number: int, by: str, why: str
) -> None:
    told = {**detail, "hold": number, "by": by}
    path = f"retention {detail['act']}"
    entry = Entry(Event.HOLD, patient=patient, method="console", path=path, reason=why, detail=told)
    await house.journal.record_within(connection, [entry])


@retention.command()
def holds(as_json: AsJson = False) -> None:
    """List the legal holds in force: number, record, ground, since when, by whom and why."""

    async def work(house: House) -> list[dict[str, Any]]:
        async with house.database.writing.acquire() as connection, connection.transaction():
            await house.journal.record_within(
                connection, [Entry(Event.JOB, method="console", path="retention holds", detail={"act": Act.HOLDS})]
            )
            found = await legal.in_force(connection, house.vault)
            persons = await patients_of(connection, [one.patient for one in found])
        return [
            {
                "hold": one.number,
                "records": [f"Patient/{house.store.id(key)}" for key in persons if key.patient == one.patient],
                "ground": one.ground,
                "since": one.since.isoformat(),
                "by": one.by,
                "why": one.why,
            }
            for one in found
        ]

    found = within(work, NotHeld)
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for one in found:
        typer.echo(
            f"{one['hold']}  {' '.join(one['records'])}  {one['ground']}  since {one['since'][:10]}, {one['by']}: {one['why']}"
        )
    typer.echo(f"{len(found)} legal holds in force.")
