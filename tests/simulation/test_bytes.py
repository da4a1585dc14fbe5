import gzip

import orjson
import pytest
import zstandard

from graphmind.errors import StoreError
from graphmind.simulation import Scenario, simulate, write

SMALL = Scenario(seed=5, traces=500, incidents=1, kinds=("region_down",))


def test_one_seed_gives_the_same_bytes(tmp_path):
    for folder in ("first", "second"):
        write(simulate(SMALL), tmp_path / folder, compress="gz")

    for file in ("spans.jsonl.gz", "truth.json"):
        first, second = (tmp_path / folder / file for folder in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_another_seed_gives_other_bytes(tmp_path):
    for seed in (5, 6):
        write(simulate(Scenario(seed=seed, traces=50, quiet=True)), tmp_path / str(seed))

    first, second = (tmp_path / name / "spans.jsonl" for name in ("5", "6"))
    assert first.read_bytes() != second.read_bytes()


def test_compressed_files_hold_the_same_lines(tmp_path):
    scenario = Scenario(seed=2, traces=60, quiet=True)
    for compress in ("", "gz", "zst"):
        write(simulate(scenario), tmp_path, compress=compress)

    plain = (tmp_path / "spans.jsonl").read_bytes()
    with zstandard.open(tmp_path / "spans.jsonl.zst", "rb") as unpacked:
        assert unpacked.read() == plain
    assert gzip.decompress((tmp_path / "spans.jsonl.gz").read_bytes()) == plain


def test_the_truth_returned_is_the_truth_written(tmp_path):
    truth = write(simulate(Scenario(seed=5, traces=50, quiet=True)), tmp_path)

    written = orjson.loads((tmp_path / "truth.json").read_bytes())
    assert written == orjson.loads(orjson.dumps(truth))


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "taken").write_text("a file")

    with pytest.raises(StoreError, match=r"cannot write to .*taken"):
        write(simulate(Scenario(seed=1, traces=5, quiet=True)), tmp_path / "taken")
