import pytest
from graphmind_loaders.pull.clickhouse import open_source

from graphmind.errors import SettingsError, SourceError
from graphmind.sources import SourceConfig
from tests.live.conftest import free_ports
from tests.loaders.pull.asking import opened, rows, window
from tests.loaders.pull.serving import Answer, serving

SECRET = "s3cr3t-pass"


def failing(answer):
    with serving(answer) as server:
        return failing_at(server.url)


def failing_at(url, **changes):
    config = SourceConfig(
        kind="clickhouse", name="c", url=url, token=f"reader:{SECRET}", timeout_s=2, **changes
    )
    source = open_source(config)
    try:
        with pytest.raises(SourceError) as failed:
            rows(source, window())
    finally:
        source.close()
    assert SECRET not in str(failed.value)
    return str(failed.value)


@pytest.mark.parametrize("body", [b"<html>hello", b"\x00\xff garbage" * 40, b"", b"1\t2\n"])
def test_an_answer_of_something_else_is_an_error(body):
    assert "does not answer as a ClickHouse" in failing(lambda _: Answer(body=body))


@pytest.mark.parametrize(
    "body", [b"\x01\x05garbage", b"\x01\x02\x01\x61\x05Int64", b"\x01\x00\x01\x61\x03Foo"]
)
def test_broken_columns_are_an_error(body):
    def answer(asked):
        if b"version()" in asked.body:
            return Answer(body=b"26.9.2\tUTC\n")
        return Answer(body=body)

    assert "source c (clickhouse" in failing(answer)


def test_refused_credentials_say_what_to_set():
    body = f"Code: 516. DB::Exception: reader {SECRET}: Authentication failed".encode()
    headers = {"x-clickhouse-exception-code": "516"}

    words = failing(lambda _: Answer(status=401, body=body, headers=headers))

    assert "credentials refused or expired (code 516): set `token`" in words


def test_a_server_that_is_not_there_is_told():
    (port,) = free_ports(1)

    assert "does not answer" in failing_at(f"http://127.0.0.1:{port}")


def test_a_move_to_another_server_is_not_followed():
    with serving(lambda _: Answer(body=b"26.9.2\tUTC\n")) as other:
        failing(lambda _: Answer(status=307, headers={"location": other.url}))

        assert other.asked == []


@pytest.mark.parametrize("table", ["otel_traces; DROP TABLE x", "a.b.c", "", "`a`", "ünïcode"])
def test_a_table_name_that_is_none_is_refused(table):
    with (
        pytest.raises(SettingsError, match=r"expected `table` as name or database.name"),
        opened(open_source, lambda _: Answer(), table=table),
    ):
        pass
