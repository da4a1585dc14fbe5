import orjson
import pytest
from hypothesis import given

from graphmind.matching.record import entry_of
from tests.matching.entries import entries, entry, fingerprint


@given(entries)
def test_an_entry_is_the_same_after_json(own):
    assert entry_of(orjson.loads(orjson.dumps(own.document()))) == own


def test_what_is_wrong_with_a_document_is_said_with_its_place():
    document = entry("inc-1").document()
    document["fingerprint"]["error_codes"] = {"timeout": 2}

    with pytest.raises(ValueError, match=r"<= 1.*\$\.fingerprint\.error_codes"):
        entry_of(document)


def test_the_hash_names_structure_frequent_codes_and_cause():
    own = fingerprint(error_codes={"timeout": 0.9, "reset": 0.1})

    assert own.hash == fingerprint(error_codes={"timeout": 0.8, "refused": 0.1}).hash
    assert own.hash != fingerprint(error_codes={"reset": 1.0}).hash
    assert own.hash != fingerprint(cause_class=None).hash
    assert own.hash != fingerprint(structure_fingerprint="other").hash
