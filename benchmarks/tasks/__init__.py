"""The tasks of the benchmarks: a history, a cut-off and a window each; one file a data set.

Every task is there to be repeated at earlier cut-offs: whatever is chosen is chosen there, never on
the cut-offs of this list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.tasks import cdnow, completejourney, tafeng, taobao
from benchmarks.tasks.data import Data
from scoring.fitted import ANY
from scoring.history import History, hour_of

DAY, WEEK = 24, 7 * 24  # hours


@dataclass(frozen=True)
class Task:
    """``read(data, cutoff)`` gives all events, those after the cut-off included; ``cutoff`` in
    hours; ``min_buyers``: known customers who bought a target in the window, so that it counts;
    ``best_seller_days``: days of the best sellers, fewer where a day is a whole basket."""

    name: str
    read: Callable[[Data, int], History]
    level: str
    cutoff: int
    horizon_hours: int
    min_buyers: int = 50
    data_set: str = ""
    best_seller_days: int = 28

    @property
    def horizon_days(self) -> int:
        return self.horizon_hours // DAY

    def earlier(self, windows: int) -> Task:
        """The same task, ``windows`` windows ago."""
        return replace(self, cutoff=self.cutoff - windows * self.horizon_hours)

    def history(self, data: Data) -> History:
        return self.read(data, self.cutoff)

    def missing(self, folder: Path | None) -> str | None:
        """Why it cannot run, or None."""
        if not self.data_set:
            return None
        if folder is None:
            return "needs --data FOLDER (or RIGHTSEND_BENCHMARK_DATA)"
        path = folder / self.data_set
        return None if path.is_file() else f"{path} is not there"


def _utc(*moment: int) -> int:
    return hour_of(datetime(*moment, tzinfo=UTC))  # type: ignore[arg-type, misc]


NOVEMBER, OCTOBER = _utc(2017, 11, 20, 5), _utc(2017, 10, 16, 5)

TARGETING = {
    task.name: task
    for task in (
        Task("cj_category", completejourney.read, "category", NOVEMBER, WEEK),
        Task("cj_brand", completejourney.read, "brand", NOVEMBER, WEEK),
        Task("cj_item", completejourney.read, "item", NOVEMBER, 4 * WEEK),
        Task("cj_category_october", completejourney.read, "category", OCTOBER, WEEK),
        Task("cj_brand_october", completejourney.read, "brand", OCTOBER, WEEK),
        Task("tafeng_item", tafeng.read, "item", tafeng.LAST_BASKET, DAY, data_set=tafeng.FILE),
        Task(
            "taobao_category", taobao.read, "category", _utc(2017, 12, 1, 16), 2 * DAY,
            min_buyers=10, data_set=taobao.FILE,
        ),
        Task("cdnow", cdnow.read, ANY, _utc(1998, 4, 1), 90 * DAY, data_set=cdnow.FILE),
    )
}  # fmt: skip

RANKING = {
    task.name: task
    for task in (
        Task("cj_rank", completejourney.read, "item", NOVEMBER, WEEK),
        Task(
            "tafeng_rank",
            tafeng.read,
            "item",
            tafeng.LAST_BASKET,
            DAY,
            data_set=tafeng.FILE,
            best_seller_days=4,
        ),
    )
}

__all__ = ["RANKING", "TARGETING", "Data", "Task"]
