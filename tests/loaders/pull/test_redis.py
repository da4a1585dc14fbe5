import pytest
from graphmind_loaders.pull.redis import RedisKeys, folded, open_source
from hypothesis import given
from hypothesis import strategies as st

from graphmind.errors import SettingsError
from graphmind.sources import PullWindow, SourceConfig
from graphmind.telemetry.rejections import Rejections

WINDOW = PullWindow(from_ns=0, until_ns=1)


def config(url="redis://127.0.0.1:1", **options):
    return SourceConfig(kind="redis", name="state", url=url, options=options, token="sesame-77")


def test_a_prefix_with_many_keys_is_folded_at_its_longest():
    names = [*(f"app:cart:{n}" for n in range(4)), "app:x", "app:y", "z"]

    assert list(folded(names, over=3)) == [
        ("app:cart:*", names[:4]),
        (None, ["app:x", "app:y", "z"]),
    ]


def test_keys_that_differ_in_the_middle_are_folded_at_what_they_share():
    names = [f"user:{n}:name" for n in range(5)]

    assert list(folded(names, over=3)) == [("user:*", names)]


def test_many_keys_without_a_prefix_are_folded_too():
    assert list(folded(list("abcd"), over=3)) == [("*", list("abcd"))]


def test_a_key_of_a_thousand_parts_is_a_key():
    name = ":".join("a" * 1000)

    assert list(folded([name], over=3)) == [(None, [name])]


@given(st.lists(st.text("ab:", max_size=8), unique=True), st.integers(1, 4))
def test_every_key_is_in_one_group_that_its_name_fits(names, over):
    groups = list(folded(names, over=over))

    assert sorted(key for _, keys in groups for key in keys) == sorted(names)
    for pattern, keys in groups:
        if pattern is not None:
            assert len(keys) > over
            assert all(key.startswith(pattern.removesuffix("*")) for key in keys)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "redis://127.0.0.1:port", "nonsense"])
def test_a_url_of_another_kind_is_refused(url):
    with pytest.raises(SettingsError, match="should be redis://") as refused:
        open_source(config(url))

    assert "sesame-77" not in str(refused.value)


def test_an_unknown_option_is_refused():
    with pytest.raises(SettingsError, match="keys_max"):
        open_source(config(kyes_max=3))


def test_commands_are_paced_from_pull_to_pull():
    waited: list[float] = []
    source = RedisKeys(config(commands_per_s=10), clock=lambda: 100.0, sleep=waited.append)
    for commands in (1, 30, 1):
        source._wait_for(commands)
    source.close()

    assert waited == pytest.approx([0.1, 3.1])


def test_an_inventory_is_not_read_again_before_its_time():
    source = RedisKeys(config())
    source._due_s = source._clock() + 60

    assert list(source.pull(WINDOW, Rejections())) == []
    source.close()
