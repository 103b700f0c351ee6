"""Fitted levels and stackers on disk: arrays (.npz) and JSON, never pickle."""

from __future__ import annotations

import json
import tokenize
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray

from scoring.calibration import Calibrator
from scoring.fitted import Fitted, Judge
from scoring.level import Level
from scoring.models import BaseScorer
from scoring.models.activity import Activity
from scoring.models.affinity import LevelAffinity
from scoring.models.content import Content
from scoring.models.ease import Ease
from scoring.models.factors import Factors
from scoring.models.popularity import Popularity
from scoring.models.repeat import RepeatIntensity
from scoring.models.stacker import Stacker
from scoring.models.temporal import Temporal

SCORERS: Mapping[str, type[BaseScorer]] = {
    "repeat": RepeatIntensity,
    "popularity": Popularity,
    "activity": Activity,
    "ease": Ease,
    "factors": Factors,
    "affinity": LevelAffinity,
    "content": Content,
    "engaged": RepeatIntensity,
    "temporal": Temporal,
}
FORMAT = 4
# what reading damaged .npz and JSON files raises, which is more than their documentation says
_DAMAGE = (
    ArithmeticError, AttributeError, EOFError, KeyError, MemoryError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError, tokenize.TokenError, zipfile.BadZipFile,
)  # fmt: skip


class ModelFilesError(Exception):
    """The model folder is missing, damaged or of another version; the text says what to do."""


def save(fitted: Fitted, folder: Path) -> None:
    """Writes model.json, one .npz a level and one a stacker."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, level in fitted.levels.items():
        arrays = {"of_item": level.of_item, "size": np.array([level.n_customers, level.n_targets])}
        for scorer_name, scorer in level.scorers.items():
            arrays |= _prefixed(f"scorer/{scorer_name}", scorer.arrays())
        for parent, (repeat, parent_of) in level.parents.items():
            arrays |= _prefixed(f"parent/{parent}", repeat.arrays())
            arrays[f"map/{parent}"] = parent_of
        _write(folder / f"level-{name}.npz", arrays)
    for kind, judges in fitted.judges.items():
        for name, judge in judges.items():
            arrays = _prefixed("stacker", judge.stacker.arrays())
            arrays |= _prefixed("calibrator", judge.calibrator.arrays())
            _write(folder / f"judge-{kind}-{name}.npz", arrays)
    document = {
        "format": FORMAT,
        "scikit-learn": sklearn.__version__,  # the trees' node layout is that library's
        "cutoff": fitted.cutoff,
        "horizon_days": fitted.horizon_days,
        "levels": {
            name: {
                "scorers": list(level.scorers),
                "parents": list(level.parents),
                "features": list(level.features),  # the columns that the stackers read
            }
            for name, level in fitted.levels.items()
        },
        "window_days": fitted.window_days,
        "judges": {str(kind): sorted(judges) for kind, judges in sorted(fitted.judges.items())},
    }
    (folder / "model.json").write_text(json.dumps(document, indent=1) + "\n")


def load(folder: Path) -> Fitted:
    """Reads what ``save`` wrote. Raises ModelFilesError."""
    try:
        document = json.loads((folder / "model.json").read_text())
        written = f"format {document['format']}, scikit-learn {document['scikit-learn']}"
        read = f"format {FORMAT}, scikit-learn {sklearn.__version__}"
        if written != read:
            raise ModelFilesError(
                f"{folder} was written in {written}, this reads {read}: run `rightsend nightly` "
                "to train again"
            )
        levels = {name: _level(folder, name, parts) for name, parts in document["levels"].items()}
        judges = {
            int(kind): {name: _judge(folder / f"judge-{kind}-{name}.npz") for name in names}
            for kind, names in document["judges"].items()
        }
        return Fitted(
            document["cutoff"], document["horizon_days"], document["window_days"], levels, judges
        )
    except _DAMAGE as problem:
        raise ModelFilesError(
            f"{folder} cannot be read ({problem}): run `rightsend nightly` to train again"
        ) from problem


def _level(folder: Path, name: str, parts: Mapping[str, list[str]]) -> Level:
    arrays = _arrays(folder / f"level-{name}.npz")
    scorers = {
        scorer: SCORERS[scorer].from_arrays(_without(f"scorer/{scorer}", arrays))
        for scorer in parts["scorers"]
    }
    parents = {
        parent: (
            RepeatIntensity.from_arrays(_without(f"parent/{parent}", arrays)),
            arrays[f"map/{parent}"],
        )
        for parent in parts["parents"]
    }
    n_customers, n_targets = (int(n) for n in arrays["size"])
    level = Level(arrays["of_item"], scorers, parents, n_customers, n_targets)
    if list(level.features) != parts["features"]:
        raise ValueError(f"level {name} was described by other features than this version's")
    return level


def _judge(path: Path) -> Judge:
    arrays = _arrays(path)
    return Judge(
        Stacker.from_arrays(_without("stacker", arrays)),
        Calibrator.from_arrays(_without("calibrator", arrays)),
    )


def _write(path: Path, arrays: dict[str, Any]) -> None:
    np.savez(path, **arrays)


def _arrays(path: Path) -> dict[str, NDArray]:
    with path.open("rb") as whole, np.load(whole, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _prefixed(prefix: str, arrays: Mapping[str, NDArray]) -> dict[str, NDArray]:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def _without(prefix: str, arrays: Mapping[str, NDArray]) -> dict[str, NDArray]:
    start = f"{prefix}/"
    return {n.removeprefix(start): a for n, a in arrays.items() if n.startswith(start)}
