"""Where commands write, and what they print: folders, inputs, pipes, names, numbers."""

import io
import sys

import pytest
import soundfile

from voiceswap import cli
from voiceswap.examples import GOODBYE, HELLO


@pytest.fixture
def run(monkeypatch, capsys, model, tmp_path):
    """Runs a command with the tiny model in `tmp_path`; gives its status and what it printed."""
    monkeypatch.chdir(tmp_path)
    for name, example in (("s.wav", HELLO), ("t.wav", GOODBYE)):
        soundfile.write(tmp_path / name, *soundfile.read(example))

    def run(*arguments):
        monkeypatch.setattr(
            sys, "argv", ["voiceswap", *map(str, arguments), "--checkpoint", str(model)]
        )
        with pytest.raises(SystemExit) as exit:
            cli.main()
        shown = capsys.readouterr()
        return exit.value.code or 0, shown.out + shown.err

    return run


CONVERT = ("convert", "s.wav", "--target", "t.wav", "--out")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (CONVERT, "s-in-the-voice-of-t.wav"),
        (("reconstruct", "s.wav", "--out"), "s-reconstructed.wav"),
        (("voice", "t.wav", "--out"), "t.safetensors"),
        (("embed", "s.wav", "--out"), "s.npz"),
    ],
)
def test_a_folder_gets_a_file(run, tmp_path, arguments, name):
    (tmp_path / "folder").mkdir()
    status, shown = run(*arguments, "folder")
    assert status == 0 and name in shown
    assert [path.name for path in (tmp_path / "folder").iterdir()] == [name]


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        (CONVERT, "s.wav"),
        (CONVERT, "t.wav"),
        (("reconstruct", "s.wav", "--out"), "s.wav"),
        (("voice", "UP.SAFETENSORS", "--out"), "UP.SAFETENSORS"),
    ],
)
def test_what_is_read_is_written_over_only_when_asked(run, tmp_path, arguments, read):
    assert run("voice", "t.wav", "--out", "UP.SAFETENSORS")[0] == 0
    before = (tmp_path / read).read_bytes()
    status, shown = run(*arguments, read)
    assert status == 1 and "or --overwrite to write over it." in shown.replace("\n", " ")
    assert (tmp_path / read).read_bytes() == before
    assert run(*arguments, read, "--overwrite")[0] == 0
    if read == "s.wav":
        assert (tmp_path / read).read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("voice", "t.wav", "--out", "v.bin"), "A voice's file has to end in .safetensors"),
        ((*CONVERT, "new.m4a"), "'.m4a' can be read, but not written; use .wav"),
        (
            (*CONVERT, "n.wav", "--pitch", "nan"),
            "pitch is 'nan', but must be a number from -24 to 24, or 'exact'.",
        ),
        ((*CONVERT, "n.wav", "--strength", "2"), "--strength is 2, but must be a number from 0 to"),
        (("ui", "--max-minutes", "nan"), "--max-minutes is nan, but must be a number of 0.1 or"),
    ],
)
def test_what_can_not_be_used_is_a_sentence(run, arguments, sentence):
    status, shown = run(*arguments)
    assert status == 1 and sentence in shown.replace("\n", " ")


def test_notes_are_lines(run, hello, tmp_path):
    import numpy as np

    soundfile.write(tmp_path / "both.wav", np.stack([hello, -hello], 1), 16000)
    status, shown = run("convert", "both.wav", "--target", "t.wav", "--out", "o.wav")
    assert status == 0 and "both.wav: one channel is inverted or late" in shown


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize(
    "name",
    [
        "x😀.wav",
        pytest.param(
            "caf\udce9.wav",  # bytes that are not UTF-8
            marks=pytest.mark.skipif(sys.platform != "linux", reason="no such names here"),
        ),
    ],
)
def test_names_that_a_console_lacks_are_printed_with_replacements(
    run, tmp_path, monkeypatch, encoding, name
):
    (tmp_path / "s.wav").rename(tmp_path / name)
    console = io.TextIOWrapper(io.BytesIO(), encoding)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", console)
        assert run("convert", name, "--target", "t.wav", "--out", f"o-{name}")[0] == 0
    assert (tmp_path / f"o-{name}").exists()
    console.flush()
    assert b"in the voice of t.wav" in console.buffer.getvalue()
