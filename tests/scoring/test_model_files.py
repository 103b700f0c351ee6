"""Models on disk: the same answers after loading, the same bytes twice, and no pickle."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scoring import model_files
from scoring.history import BOUGHT, CLICKED
from scoring.model_files import ModelFilesError
from tests.scoring.conftest import Trained
from tests.scoring.histories import all_pairs, arrays_of, assert_same


@pytest.fixture
def folder(trained: Trained, tmp_path: Path) -> Path:
    """A saved model."""
    model_files.save(trained.tonight, tmp_path / "model")
    return tmp_path / "model"


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_a_loaded_model_gives_the_same_probabilities(trained: Trained, folder: Path) -> None:
    loaded = model_files.load(folder)
    assert (loaded.cutoff, loaded.horizon_days) == (trained.tonight.cutoff, 7)
    for name, level in trained.tonight.levels.items():
        pairs = all_pairs(trained.past, level.n_targets)
        for kind in (BOUGHT, CLICKED):
            one = trained.tonight.probability(name, *pairs, kind)
            assert loaded.probability(name, *pairs, kind).tobytes() == one.tobytes()


def test_a_loaded_model_proposes_the_same_candidates(trained: Trained, folder: Path) -> None:
    loaded = model_files.load(folder)
    for name in ("item", "brand", "category"):
        assert loaded.levels[name].features == trained.tonight.levels[name].features
        for one, two in zip(
            loaded.levels[name].candidates(),
            trained.tonight.levels[name].candidates(),
            strict=True,
        ):
            np.testing.assert_array_equal(one, two)


def test_loading_and_saving_again_changes_no_byte(folder: Path, tmp_path: Path) -> None:
    loaded = model_files.load(folder)
    model_files.save(loaded, tmp_path / "again")
    assert digests(tmp_path / "again") == digests(folder)
    assert_same(arrays_of(model_files.load(tmp_path / "again")), arrays_of(loaded))


def test_two_trainings_on_the_same_past_save_the_same_bytes(
    folder: Path, trained_without_future: Trained, tmp_path: Path
) -> None:
    model_files.save(trained_without_future.tonight, tmp_path / "second")
    assert digests(tmp_path / "second") == digests(folder)


def test_nothing_in_the_files_is_a_pickle(folder: Path) -> None:
    files = sorted(path.name for path in folder.iterdir())
    assert files == [
        "judge-0-any.npz", "judge-0-brand.npz", "judge-0-category.npz", "judge-0-item-new.npz",
        "judge-0-item-prospect.npz", "judge-0-item-ranking.npz", "judge-0-item.npz",
        "judge-2-any.npz", "judge-2-brand.npz", "judge-2-category.npz", "judge-2-item-new.npz",
        "judge-2-item.npz",
        "level-any.npz", "level-brand.npz", "level-category.npz", "level-item.npz", "model.json",
    ]  # fmt: skip
    for path in folder.glob("*.npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert not any(arrays[name].dtype.hasobject for name in arrays.files)
    json.loads((folder / "model.json").read_text())


def cut_short(folder: Path) -> None:
    path = folder / "level-item.npz"
    path.write_bytes(path.read_bytes()[:-100])


def garble(folder: Path) -> None:
    (folder / "judge-0-brand.npz").write_bytes(b"\x00 this is no archive \xff" * 9)


def flip_a_byte(folder: Path) -> None:
    path = folder / "level-brand.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def lose_a_file(folder: Path) -> None:
    (folder / "judge-2-any.npz").unlink()


def empty_a_file(folder: Path) -> None:
    (folder / "level-any.npz").write_bytes(b"")


def lose_an_array(folder: Path) -> None:
    path = folder / "level-item.npz"
    with np.load(path) as arrays:
        kept = {name: arrays[name] for name in arrays.files if name != "of_item"}
    np.savez(path, **kept)


def put_a_pickle_in(folder: Path) -> None:
    np.savez(folder / "judge-0-item.npz", **{"stacker/nodes": np.array([{}], dtype=object)})


def break_the_document(folder: Path) -> None:
    (folder / "model.json").write_text("{ not json")


def make_it_a_list(folder: Path) -> None:
    (folder / "model.json").write_text("[1, 2]")


def lose_the_cutoff(folder: Path) -> None:
    document = json.loads((folder / "model.json").read_text())
    del document["cutoff"]
    (folder / "model.json").write_text(json.dumps(document))


def name_an_unknown_scorer(folder: Path) -> None:
    document = json.loads((folder / "model.json").read_text())
    document["levels"]["item"]["scorers"].append("oracle")
    (folder / "model.json").write_text(json.dumps(document))


def make_levels_a_list(folder: Path) -> None:
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**document, "levels": []}))


def describe_otherwise(folder: Path) -> None:
    """As a version wrote it whose scorers had another column."""
    document = json.loads((folder / "model.json").read_text())
    document["levels"]["item"]["features"].append("repeat.moon_phase")
    (folder / "model.json").write_text(json.dumps(document))


def lose_everything(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@pytest.mark.parametrize(
    "damage",
    [
        cut_short, garble, flip_a_byte, lose_a_file, empty_a_file, lose_an_array, put_a_pickle_in,
        break_the_document, make_it_a_list, lose_the_cutoff, name_an_unknown_scorer,
        make_levels_a_list, describe_otherwise, lose_everything,
    ],
)  # fmt: skip
def test_bad_input_a_damaged_model_is_one_clear_error(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    damage(folder)
    with pytest.raises(ModelFilesError, match=r"cannot be read .*run `rightsend nightly`"):
        model_files.load(folder)


@pytest.mark.filterwarnings("ignore")  # numpy's, of headers that it can nearly read
@pytest.mark.parametrize("name", ["judge-0-item.npz", "level-item.npz"])
def test_fault_any_flipped_bit_is_one_clear_error_or_none(folder: Path, name: str) -> None:
    chance, path = random.Random(3), folder / name
    whole = path.read_bytes()
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[chance.randrange(300)] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            model_files.load(folder)
        except ModelFilesError:
            refused += 1
    assert refused > 50


def test_bad_input_a_model_of_another_library_version_says_so(folder: Path) -> None:
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**document, "scikit-learn": "0.1"}))
    with pytest.raises(ModelFilesError, match=r"scikit-learn 0\.1, .*run `rightsend nightly`"):
        model_files.load(folder)


def test_bad_input_a_model_of_another_format_says_so(folder: Path) -> None:
    document = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**document, "format": 99}))
    with pytest.raises(ModelFilesError, match=r"format 99, .*run `rightsend nightly`"):
        model_files.load(folder)


def test_the_archives_carry_no_time_of_day(folder: Path) -> None:
    for path in folder.glob("*.npz"):
        with zipfile.ZipFile(path) as archive:
            assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
