"""What a push did, row by row, for the log, the console and the person who asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from zyenta_ads_pipeline.domain.change import ChangeState
from zyenta_ads_pipeline.store.records import ChangeRecord

_NEEDS_EYES = frozenset({ChangeState.FAILED, ChangeState.CONFLICT})


@dataclass(frozen=True)
class PushRow:
    """One change: the state it has now, and why. `retry_after` is UTC."""

    change_id: str
    account_id: str
    object_id: str
    object_name: str
    state: ChangeState
    words: str
    retry_after: datetime | None = None

    @classmethod
    def of(cls, record: ChangeRecord, words: str) -> PushRow:
        """A row on `record` as it stands."""
        return cls(
            change_id=record.id,
            account_id=record.change.account_id,
            object_id=record.change.object_id,
            object_name=record.change.object_name,
            state=record.state,
            words=words,
            retry_after=record.retry_after,
        )

    def __str__(self) -> str:
        name = self.object_name or self.object_id
        return f"{self.change_id}  {self.state.value:<10}  {name}: {self.words}"


@dataclass(frozen=True)
class LaneStop:
    """An account whose turn ended early. `wait_seconds` is how long the platform asks for."""

    account_id: str
    words: str
    wait_seconds: float | None = None

    def __str__(self) -> str:
        wait = "" if self.wait_seconds is None else f" Wait {self.wait_seconds:.0f} s."
        return f"Account {self.account_id} stopped: {self.words}{wait}"


@dataclass(frozen=True)
class PushReport:
    """All of one push. Printing it gives a line a change and a line a stopped account."""

    rows: tuple[PushRow, ...]
    stops: tuple[LaneStop, ...] = ()

    @property
    def needs_eyes(self) -> tuple[PushRow, ...]:
        """The changes that ended as FAILED or CONFLICT."""
        return tuple(row for row in self.rows if row.state in _NEEDS_EYES)

    def state_of(self, change_id: str) -> ChangeState:
        """The last state reported for a change; `KeyError` if the push did not meet it."""
        for row in reversed(self.rows):
            if row.change_id == change_id:
                return row.state
        raise KeyError(change_id)

    def __str__(self) -> str:
        if not self.rows and not self.stops:
            return "Nothing to push."
        last = {row.change_id: row.state for row in self.rows}
        counts = Counter(state.value for state in last.values())
        noun = "change" if len(last) == 1 else "changes"
        told = ", ".join(f"{count} {word}" for word, count in counts.items())
        head = f"{len(last)} {noun}: {told}"
        return "\n".join([head, *map(str, self.rows), *map(str, self.stops)])
