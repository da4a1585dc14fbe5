import io
import json

import pytest
from graphmind_loaders.documents import parsed, split, values
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmind.telemetry.rejections import Rejections

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
DOCUMENTS = st.lists(
    st.lists(JSON, max_size=3) | st.dictionaries(st.text(), JSON, max_size=3), max_size=4
)


def cut(text: str) -> list[bytes]:
    return list(split(io.BytesIO(text.encode())))


@settings(max_examples=50)
@given(DOCUMENTS, st.sampled_from([None, 0, 1, 4]))
def test_documents_in_a_row_are_told_apart_in_any_layout(documents, indent):
    file = "\n".join(json.dumps(document, indent=indent) for document in documents)

    assert [json.loads(document) for document in cut(file)] == documents


@given(st.binary(max_size=100))
def test_splitting_loses_nothing_but_white_space(file):
    whole = b"".join(split(io.BytesIO(file)))

    assert whole.translate(None, b" \t\r\n\x0b\x0c\xef\xbb\xbf") == file.translate(
        None, b" \t\r\n\x0b\x0c\xef\xbb\xbf"
    )


@pytest.mark.parametrize(
    "file",
    [
        '{"a":1}\n{"a":2,"b":\n{"a":3}',
        '{"a":1}\n{"a":\n{"a":3}',
        '{"a":1}\nrestarted\n{"a":3}',
        '{"a":1}\n2026 restarted [1]\n{"a":3}',
        'restarted\n{"a":1}\n\n{"a":3}',
        '\ufeff{"a":1}\r\n{"a":"\r\n{"a":3}',
    ],
)
def test_a_broken_line_costs_only_itself(file):
    rejected = Rejections()

    found = list(values(io.BytesIO(file.encode()), rejected, lambda _: False))

    assert found == [{"a": 1}, {"a": 3}]
    assert rejected.counts == {"broken JSON": 1}


def test_records_before_a_break_are_kept():
    rejected = Rejections()

    found = parsed(b'{"in": [{"a": 1}, {"a": {}}, {"a": ', rejected, lambda path: path == ("in",))

    assert found == [{"in": [{"a": 1}, {"a": {}}]}]
    assert rejected.counts == {"broken JSON": 1}


def test_what_follows_a_document_is_counted():
    rejected = Rejections()

    assert parsed(b'{"a": 1} trailing', rejected, lambda _: True) == [{"a": 1}]
    assert rejected.counts == {"broken JSON": 1}


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (b'{"a": NaN}', {"a": "NaN"}),
        (b'{"a": -Infinity}', {"a": "-Infinity"}),
        (b'{"a": "x\ty\0z"}', {"a": "x\ty\0z"}),
        (b'{"a": "\\ud83d\\ude00 \\ude00"}', {"a": "\U0001f600 \ufffd"}),
        (b'{"a": "\\ud83d"}', {"a": "\ufffd"}),
    ],
)
def test_what_is_nearly_json_is_let_pass(document, value):
    rejected = Rejections()

    assert parsed(document, rejected, lambda _: False) == [value]
    assert rejected.counts == {}


@given(st.binary(max_size=80))
def test_parsing_never_raises(document):
    parsed(document, Rejections(), lambda _: True)


def test_a_number_of_any_length_does_not_raise():
    rejected = Rejections()

    assert parsed(b"[1,NaN," + b"9" * 10_000, rejected, lambda _: True) == []
    assert rejected.counts == {"broken JSON": 1}
