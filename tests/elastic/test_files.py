"""Files that are named on the command line: a pipe or a device is refused at once, whichever option names it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from parapet_elastic import files
from parapet_elastic.errors import Failure
from parapet_elastic.rendering.templates import load

from tests.elastic.person import Person

NAMING = [
    ("preview", "--real", "--credentials"),
    ("preview", "--context"),
    ("preview", "--template"),
    ("lint",),
    ("rollback", "--yes"),
]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files in a folder")
@pytest.mark.parametrize("words", NAMING)
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(kibana, tmp_path, words):
    """It would be for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    result = Person(kibana, PARAPET_ELASTIC_STATE=str(tmp_path / "state"))(*words, str(pipe))
    assert result.code in {1, 2}, result
    assert f"{pipe} is no regular file" in result.out + result.err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no such device")
def test_a_device_is_not_read():
    """It has no end."""
    with pytest.raises(Failure, match="is no regular file"):
        files.read(Path("/dev/zero"), 10)


def test_a_file_is_read_up_to_a_size(tmp_path):
    """What is larger is not what is meant."""
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert files.read(path, 5) == b"12345"
    with pytest.raises(Failure, match="larger than 4 bytes"):
        files.read(path, 4)


def test_a_template_of_windows_is_the_same_template(tmp_path):
    """Its lines end otherwise; what is attached is compared with it byte for byte."""
    path = tmp_path / "x.mustache"
    path.write_bytes(b"\xef\xbb\xbf{\r\n}\r\n")
    assert load(str(path)).text == "{\n}\n"
