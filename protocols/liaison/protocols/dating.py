"""When each action of a plan is due, on working days.

R4 §PlanDefinition: timing of every kind, that of the ActivityDefinition where the action has none, and relatedAction with an offset
before, after or at the same time as the start or the end of another action or group. After several, the latest counts; before
several, the earliest. What follows an action that does not apply does not apply either. The actions of a group that has a date, or
is related to another action, count from its beginning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.days import first_day, named_day
from liaison.protocols.expressions import first
from liaison.protocols.proposal import CannotApply, Node, Tree
from liaison.protocols.timing import aged, back, occurrences, shifted
from liaison.protocols.workdays import next_working

Window = tuple[date, date]
Moments = list[tuple[date | None, date]]
TIMINGS: Final = ("timingTiming", "timingDuration", "timingDateTime", "timingPeriod", "timingAge", "timingRange")
RELATIONS: Final = frozenset(
    {"before-start", "before", "before-end", "concurrent-with-start", "concurrent", "concurrent-with-end"}
    | {"after-start", "after", "after-end"}
)


@dataclass(slots=True)
class Dating:
    """One application on a day. For a plan that goes on, `since` is its first day, and `done` says when its actions were done
    last. `not_on` are the days of the week on which the person does not come."""

    nodes: Sequence[Node]
    names: Mapping[str, Any]
    on: date
    horizon: int
    since: date | None = None
    done: Mapping[str, date] = field(default_factory=dict)
    not_on: frozenset[int] = frozenset()
    _known: dict[str, tuple[Moments, Window] | None] = field(default_factory=dict)
    _all: dict[str, Node] = field(default_factory=dict)

    _around: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        def index(nodes: Sequence[Node], group: str) -> None:
            for node in nodes:
                self._all[node.id], self._around[node.id] = node, group
                index(node.children, node.id)

        index(self.nodes, "")

    def moments(self, node: Node) -> Moments:
        """(opens, due) of each occurrence; [] for what is over, or follows what does not apply. Raises CannotApply."""
        found = self._dated(node.id, ())
        return [(opens, next_working(due, self.not_on)) for opens, due in found[0]] if found else []

    def _dated(self, id_: str, trail: tuple[str, ...]) -> tuple[Moments, Window] | None:
        if id_ in trail:
            raise CannotApply(id_, "relatedAction", f"a cycle: {' → '.join((*trail, id_))}")
        if id_ not in self._known:
            node = self._all.get(id_)
            try:
                self._known[id_] = None if node is None or not node.times else self._of(node, (*trail, id_))
            except CannotApply:
                raise
            except ValueError as error:  # of a Duration or a Timing
                raise CannotApply(id_, "timing", str(error)) from None
        return self._known[id_]

    def _frame(self, id_: str, trail: tuple[str, ...]) -> Window | None:
        """When the nearest group around it that has a date is: from its beginning its actions count. The first day of all where
        none has. None: the group does not apply."""
        around = self._around[id_]
        if not around:
            return self._begun, self._begun
        group = self._all[around].action
        if related := group.get("relatedAction"):
            return self._related(around, related, trail)
        if "timingTiming" in group:
            raise CannotApply(around, "timingTiming", "a group does not recur: its actions do")
        frame = self._frame(around, trail)
        if frame is None or not _kind(group):
            return frame
        opens, due = self._once(around, group, frame)
        return opens or due, due

    @property
    def _begun(self) -> date:
        return self.since or self.on

    def _of(self, node: Node, trail: tuple[str, ...]) -> tuple[Moments, Window] | None:
        if node.children:
            inner = [one for child in node.children if (one := self._dated(child.id, trail)) is not None]
            return ([], (min(w[0] for _, w in inner), max(w[1] for _, w in inner))) if inner else None
        frame = self._frame(node.id, trail)
        if frame is None:
            return None
        action, was = node.action, self.done.get(node.id)
        timing = action if _kind(action) or action.get("relatedAction") else {**action, **_timing_of(node.activity)}
        if "timingTiming" in timing and not action.get("relatedAction"):
            moments = self._recurring(timing, was, frame)
            if not moments:  # over
                return None
        elif was is not None:  # once is enough
            return [], (was, was)
        elif related := action.get("relatedAction"):
            window = self._related(node.id, related, trail)
            if window is None:
                return None
            moments = [(window[0] if window[0] != window[1] else None, window[1])]
        else:
            moments = [self._once(node.id, timing, frame)]
        first_, last = moments[0], moments[-1]
        return moments, (first_[0] or first_[1], last[1])

    def _recurring(self, action: Tree, was: date | None, frame: Window) -> Moments:
        last, season = self._last(action) or was, _extension(action, codes.SEASON)
        timing = action["timingTiming"]
        if timing.get("event"):
            days = sorted(day for one in timing["event"] if (day := named_day(str(one))) is not None)
            return [(None, day) for day in days] or [(None, self.on)]
        from_ = last if season else last or (self.since if frame[0] == self._begun else frame[0])
        named = season["valueString"] if season else ""
        return occurrences(timing.get("repeat", {}), self.on, from_, self.horizon, named)

    def _once(self, id_: str, action: Tree, frame: Window) -> tuple[date | None, date]:
        from_ = self._last(action) or frame[0]
        match _kind(action):
            case "timingDateTime":
                return None, _day(id_, "timingDateTime", action["timingDateTime"])
            case "timingPeriod":
                period = action["timingPeriod"]
                opens = first_day(period.get("start"))
                return opens, named_day(period.get("end")) or opens or from_
            case "timingAge":
                birth = self.names.get("patient", {}).get("birthDate")
                born = named_day(birth) if isinstance(birth, str) else None
                if born is None:
                    raise CannotApply(id_, "timingAge", "the birth date of the person is not known")
                return None, aged(born, action["timingAge"])
            case "timingRange":
                low, high = (action["timingRange"].get(end) for end in ("low", "high"))
                return (shifted(from_, low) if low else None), shifted(from_, high or low or {})
            case "timingDuration":
                return None, shifted(from_, action["timingDuration"])
        return (None, from_) if frame[0] == frame[1] else frame

    def _last(self, action: Tree) -> date | None:
        extension = _extension(action, codes.LAST_DONE)
        if extension is None:
            return None
        found = first(extension["valueExpression"]["expression"], self.names.get("patient", {}), self.names)
        return named_day(str(found)) if found else None

    def _related(self, id_: str, several: Sequence[Tree], trail: tuple[str, ...]) -> Window | None:
        windows = []
        for one in several:
            relation = str(one.get("relationship", ""))
            if relation not in RELATIONS:
                raise CannotApply(id_, "relatedAction.relationship", f"'{relation}' is none of R4's")
            base = self._dated(str(one.get("actionId")), trail)
            if base is None:
                return None
            windows.append((relation.startswith("before"), _beside(relation, base[1], one)))
        after = [window for before, window in windows if not before]
        before = [window for is_before, window in windows if is_before]
        opens = max((window[0] for window in after), default=None)
        due = max((window[1] for window in after), default=None)
        latest = min((window[1] for window in before), default=None)
        if latest is not None:
            if opens is not None and opens > latest:
                raise CannotApply(id_, "relatedAction", "it would have to be after one action and before another")
            due = min(latest, due) if due is not None else latest
            opens = opens or min(window[0] for window in before)
        assert opens is not None and due is not None, "there is at least one related action"  # for the types
        return opens, due


def _beside(relation: str, base: Window, related: Tree) -> Window:
    """When it is by one relation: a span where the offset is a range, or where it is as long as the other."""
    where, _, edge = relation.partition("-")
    at = base[0] if "start" in edge else base[1] if "end" in edge else None
    span = related.get("offsetRange")
    low = span.get("low", {}) if span else related.get("offsetDuration", {})
    high = span.get("high", low) if span else low
    match where:
        case "before":
            from_ = base[0] if at is None else at
            return back(from_, high), back(from_, low)
        case "after":
            from_ = base[1] if at is None else at
            return shifted(from_, low), shifted(from_, high)
    return (
        (base if at is None else (at, at)) if not low else (shifted(at or base[0], low), shifted(at or base[1], high))
    )


def _kind(action: Tree) -> str:
    return next((name for name in TIMINGS if name in action), "")


def _timing_of(activity: Tree | None) -> Tree:
    return {name: activity[name] for name in TIMINGS if name in activity} if activity else {}


def _extension(action: Tree, url: str) -> Tree | None:
    return next((found for found in action.get("extension", ()) if found.get("url") == url), None)


def _day(id_: str, element: str, text: str) -> date:
    found = named_day(text)
    if found is None:
        raise CannotApply(id_, element, "no date")
    return found
