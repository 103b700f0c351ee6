"""What each base scorer brings: the same training without it, judged on the same customers.

    python -m benchmarks.ablation [--task NAME ...] [--scorer NAME ...] [--data FOLDER]
                                  [--earlier N]

Prints, task by task, the paired differences "all scorers minus all but this one" with their 95 %
intervals over targets: above zero where the scorer helps. By default one window before the
benchmark's, so that nothing is chosen where it is judged. The last line is JSON:
{task: {scorer: {measure: {"brings", "low", "high"}}}}.
"""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks import ours
from benchmarks.targeting import run_each, short
from benchmarks.tasks import TARGETING, Data, Task
from benchmarks.tasks.data import add_option
from scoring.backtest.report import Model
from scoring.backtest.targeting import evaluate, observe

SCORERS = (
    "affinity", "ease", "temporal", "factors", "content", "engaged",
    "brand", "category", "kind", "kind_brand", "category_brand",
)  # fmt: skip
MEASURES = ("lift@10", "captured@30", "auc", "new_auc")
ALL = "all"


def run(task: Task, data: Data, scorers: list[str]) -> dict[str, Any]:
    """Each scorer's part in the figures of one task, of those that its level has."""
    history = task.history(data)
    outcome = observe(
        history, task.level, task.cutoff, task.horizon_hours, min_buyers=task.min_buyers
    )
    whole = ours.of_panel(outcome.panel)
    scores = {ALL: Model(whole)(outcome.panel)}
    level = whole.levels[task.level]
    scorers = [name for name in scorers if name in (*level.scorers, *level.parents)]
    for name in scorers:
        scores[name] = ours.targeting(outcome.panel, without=(name,))
    result = evaluate(outcome, scores)
    print(f"\n## {task.name}: {len(result.targets)} targets\n")
    print(f"{'scorer':<16}" + "".join(f"{short(measure):>30}" for measure in MEASURES))
    figures: dict[str, Any] = {}
    for name in scorers:
        figures[name] = {}
        cells = []
        for measure in MEASURES:
            brings, low, high = result.difference(ALL, name, measure)
            figures[name][short(measure)] = {"brings": brings, "low": low, "high": high}
            cells.append(f"{brings:+.4f} ({low:+.4f} … {high:+.4f})")
        print(f"{name:<16}" + "".join(f"{cell:>30}" for cell in cells), flush=True)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", nargs="+", choices=list(TARGETING), default=["cj_category"])
    parser.add_argument("--scorer", nargs="+", choices=SCORERS, default=list(SCORERS))
    parser.add_argument("--earlier", type=int, default=1, metavar="N", help="windows back")
    add_option(parser)
    arguments = parser.parse_args()
    run_each(arguments, TARGETING, lambda _, task, data: run(task, data, arguments.scorer))


if __name__ == "__main__":
    main()
