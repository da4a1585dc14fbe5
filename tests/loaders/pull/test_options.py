import pytest
from graphmind_loaders.pull.options import HttpOptions, Options, read_options

from graphmind.errors import SettingsError
from graphmind.sources import SourceConfig


def config(**options):
    return SourceConfig(kind="jaeger", name="j", url="http://h", options=options)


def test_options_are_checked_and_completed():
    read = read_options(config(reply_bytes_max=10), HttpOptions)

    assert read == HttpOptions(since_s=600.0, lag_s=0.0, ca_file="", reply_bytes_max=10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"limits": 3}, r"'j' \(jaeger\).*unknown field `limits`. Known: since_s"),
        ({"since_s": "s3cr3t"}, r"Expected `float`, got `str` - at `\$.since_s`"),
        ({"since_s": 0}, "> 0"),
    ],
)
def test_options_that_are_wrong_are_named_and_not_shown(options, words):
    with pytest.raises(SettingsError, match=words) as failed:
        read_options(config(**options), Options)

    assert "s3cr3t" not in str(failed.value)
