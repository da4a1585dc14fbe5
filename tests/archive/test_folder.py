import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from graphmind.archive.database import FILE
from graphmind.archive.duck import DuckArchive
from graphmind.archive.port import Appended, Selection
from graphmind.errors import StoreBusy, StoreError
from tests.archive.rows import facts, ids, resolved, rows_of, span

ALL = Selection()


def test_what_was_stored_is_there_when_the_folder_is_opened_again(tmp_path: Path):
    stored = facts(("a", 0), items=[("a", "tool", "t")])
    with DuckArchive(tmp_path / "made" / "on the way") as archive:
        archive.append([resolved(span("a", "1"), span("b", "1"))])
        archive.store_facts(stored)
        archive.save_incidents("run", [{"incident_id": "i"}])
    with DuckArchive(tmp_path / "made" / "on the way") as archive:
        assert rows_of(archive.spans(ALL)) == [span("a", "1"), span("b", "1")]
        assert archive.facts(ALL) == stored
        assert archive.unsettled().equals(ids("b"))
        assert archive.incidents() == [{"incident_id": "i"}]
        assert archive.latest() == 1


def test_a_second_owner_in_this_process_is_refused(tmp_path: Path):
    with DuckArchive(tmp_path), pytest.raises(StoreBusy, match="owned by this process"):
        DuckArchive(tmp_path)


def test_a_second_process_is_told_who_owns_the_folder(tmp_path: Path):
    opening = (
        "import sys; from pathlib import Path; from graphmind.archive.duck import DuckArchive\n"
        "DuckArchive(Path(sys.argv[1]))"
    )
    with DuckArchive(tmp_path):
        second = subprocess.run(
            [sys.executable, "-c", opening, tmp_path], capture_output=True, text=True, check=False
        )

    last = second.stderr.splitlines()[-1]
    assert last.startswith("graphmind.errors.StoreBusy: ")
    assert f"process {os.getpid()}. End it" in last


def test_a_file_opened_by_another_program_is_busy_too(tmp_path: Path):
    opening = (
        "import sys, duckdb; c = duckdb.connect(sys.argv[1])\nprint(flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", opening, tmp_path / FILE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with other:
        assert other.stdout
        other.stdout.readline()
        with pytest.raises(StoreBusy, match=f"process {other.pid}"):
            DuckArchive(tmp_path)


def test_a_closed_archive_releases_the_folder_and_answers_no_more(tmp_path: Path):
    archive = DuckArchive(tmp_path)
    archive.close()
    archive.close()

    with pytest.raises(StoreError, match=r"archive in .* refused"):
        archive.counts()
    DuckArchive(tmp_path).close()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match=r"expected a folder to write in .*--data-dir"):
        DuckArchive(tmp_path / "file")


def test_an_unwritable_folder_is_refused(tmp_path: Path):
    tmp_path.chmod(0o500)
    with as_ordinary_user(), pytest.raises(StoreError, match=r"Permission denied.*--data-dir"):
        DuckArchive(tmp_path / "new")
    tmp_path.chmod(0o700)


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Drop root for a while, since nothing is unwritable to it."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("content", [b"no database" * 1000, b"\x00" * 20_000])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_was(tmp_path: Path, content: bytes):
    (tmp_path / FILE).write_bytes(content)

    with pytest.raises(StoreError, match="damaged: restore it"):
        DuckArchive(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_damaged_database_is_refused(tmp_path: Path):
    with DuckArchive(tmp_path) as archive:
        archive.append([resolved(*(span("a", str(n), n) for n in range(1000)))])
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:8192] + bytes(len(whole) - 8192))

    with pytest.raises(StoreError, match="damaged: restore it"):
        DuckArchive(tmp_path)


def test_a_refused_folder_can_be_opened_once_it_is_mended(tmp_path: Path):
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError):
        DuckArchive(tmp_path)
    (tmp_path / FILE).unlink()

    DuckArchive(tmp_path).close()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE layout SET version = 2", "version 1, version 2"),
        ("ALTER TABLE items ADD COLUMN colour VARCHAR", "items.colour VARCHAR"),
        ("DROP TABLE layout", "layout.version INTEGER"),
    ],
)
def test_a_database_laid_out_otherwise_is_refused(tmp_path: Path, change: str, named: str):
    DuckArchive(tmp_path).close()
    with duckdb.connect(tmp_path / FILE) as connection:
        connection.execute(change)

    with pytest.raises(StoreError, match=f"schema version 1.*{named}.*--data-dir"):
        DuckArchive(tmp_path)


def test_a_full_disk_loses_nothing_that_was_stored(tmp_path: Path):
    with DuckArchive(tmp_path) as archive:
        archive.append([resolved(span("a", "1"))])
        many = resolved(*(span("b", f"{n:064x}", n) for n in range(20_000)))
        with file_size_max(100_000), pytest.raises(StoreError, match="Free disk space"):
            archive.append([many])
    with DuckArchive(tmp_path) as archive:
        assert rows_of(archive.spans(ALL)) == [span("a", "1")]
        assert archive.append([many]) == Appended(new=20_000, duplicate=0, traces=1)


@contextmanager
def file_size_max(size: int) -> Iterator[None]:
    """Let no file grow further: what a full disk does, without filling one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
