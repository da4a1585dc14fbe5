"""Listings of Route 53 over several pages, which its emulation does not know."""

from contextlib import closing

import pytest

from graphmind.repair.connector import ConnectorError
from graphmind.repair.connectors.regional import Member
from graphmind.repair.connectors.route53 import WeightedRecords

NAME = "api.example.org."


class Paged:
    """A client that lists one record a page."""

    def __init__(self, records, *, endless=False):
        self._records, self._endless = records, endless

    def list_resource_record_sets(self, **asked):
        start = asked.get("StartRecordIdentifier")
        names = [one.get("SetIdentifier") for one in self._records]
        place = names.index(start) if start else 0
        page = {"ResourceRecordSets": [self._records[place]], "IsTruncated": False}
        if place + 1 < len(self._records) or self._endless:
            following = self._records[(place + 1) % len(self._records)]
            page |= {
                "IsTruncated": True,
                "NextRecordName": following["Name"],
                "NextRecordType": following["Type"],
                "NextRecordIdentifier": following.get("SetIdentifier"),
            }
        return page

    def change_resource_record_sets(self, **_asked):
        raise AssertionError

    def close(self):
        pass


def record(identifier, weight, name=NAME):
    return {"Name": name, "Type": "A", "SetIdentifier": identifier, "Weight": weight, "TTL": 5}


def records(client):
    return closing(WeightedRecords(client, zone_id="Z1", name=NAME, kind="A", timeout_s=1))


def test_all_pages_of_a_name_are_read_and_no_more():
    listed = [record("eu", 1), record("us", 2), record("zz", 3, name="b.example.org.")]
    with records(Paged(listed)) as opened:
        assert opened.read().members == {"eu": Member(weight=1), "us": Member(weight=2)}


def test_a_listing_without_end_is_given_up():
    with (
        records(Paged([record("eu", 1)], endless=True)) as opened,
        pytest.raises(ConnectorError, match="go on and on"),
    ):
        opened.read()
