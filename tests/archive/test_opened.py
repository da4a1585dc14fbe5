"""The file is opened anew while others read and write: nobody notices."""

import threading
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from graphmind.archive.database import connect
from graphmind.archive.opened import OpenedFile

EVERY = 20


@pytest.fixture
def file(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    with connect(folder, "128MB") as connection:
        connection.execute("CREATE TABLE numbers (number BIGINT)")
        yield OpenedFile(connection, folder, every=EVERY, held_up_s=0.05)


def add(file, number):
    with file.cursor() as cursor:
        cursor.execute("INSERT INTO numbers VALUES (?)", [number])
    file.wrote(1)


def count(file):
    with file.cursor() as cursor:
        return cursor.execute("SELECT count(*) FROM numbers").fetchall()[0][0]


def opening(file):
    """Which opening this is: DuckDB numbers what it attaches."""
    with file.cursor() as cursor:
        rows = cursor.execute(
            "SELECT database_oid FROM duckdb_databases() WHERE database_name = 'archive'"
        ).fetchall()
    return rows[0][0]


def test_it_is_opened_anew_after_so_many_rows_and_holds_them_all(file):
    first = opening(file)
    for number in range(EVERY - 1):
        add(file, number)
    assert opening(file) == first

    add(file, EVERY)

    assert opening(file) != first
    assert count(file) == EVERY


def test_it_waits_for_a_moment_without_readers(file):
    first = opening(file)
    with file.cursor() as reading:
        reading.begin()
        for number in range(EVERY):
            add(file, number)
        assert reading.execute("SELECT count(*) FROM numbers").fetchall() == [(EVERY,)]
        assert opening(file) == first

    for number in range(EVERY // 8):
        add(file, EVERY + number)

    assert opening(file) != first
    assert count(file) == EVERY + EVERY // 8


def test_who_has_a_cursor_and_asks_for_another_does_not_wait_for_itself(file):
    with file.cursor() as first:
        writer = threading.Thread(target=file.wrote, args=[EVERY])
        writer.start()
        assert first.execute("SELECT 1").fetchall() == [(1,)]
        assert count(file) == 0
    writer.join()


def test_readers_of_many_threads_never_meet_a_closed_file(file):
    first, written = opening(file), 30 * EVERY
    done = threading.Event()

    def read() -> list[int]:
        seen = []
        while not done.is_set():
            seen.append(count(file))
        return seen

    with ThreadPoolExecutor(3) as readers:
        reading = [readers.submit(read) for _ in range(3)]
        for number in range(written):
            add(file, number)
        done.set()

    for counts in reading:
        assert counts.result() == sorted(counts.result())
    assert count(file) == written
    file.wrote(EVERY)
    assert opening(file) != first


def test_a_file_that_cannot_be_opened_anew_is_tried_by_who_asks_next(file, tmp_path, caplog):
    for number in range(EVERY - 1):
        add(file, number)
    (tmp_path / "data").rename(tmp_path / "away")

    file.wrote(1)

    assert "archive_reopen_failed" in caplog.text
    with pytest.raises(duckdb.Error):
        count(file)
    (tmp_path / "away").rename(tmp_path / "data")
    assert count(file) == EVERY - 1


def test_what_lives_in_memory_is_never_closed():
    with connect(None, "128MB") as connection:
        connection.execute("CREATE TABLE numbers (number BIGINT)")
        file = OpenedFile(connection, None, every=1)
        add(file, 1)

        assert count(file) == 1
