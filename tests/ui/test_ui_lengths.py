"""Recordings that are longer than the page takes, whatever their headers tell."""

import numpy as np
import pytest
import soundfile

pytest.importorskip("gradio", reason="the ui extra is not installed")

from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from voiceswap.audio_io.decoding import seconds_up_to, sound_info
from voiceswap.ui import inputs
from voiceswap.ui.comparison import compare, segments
from voiceswap.ui.inputs import require_references


def unknown_length(path, seconds):
    """A FLAC whose header has no length, as that of a stream that was recorded."""
    samples = np.random.default_rng(0).normal(size=8000 * seconds) * 0.1
    soundfile.write(path, samples, 8000, format="FLAC")
    header = bytearray(path.read_bytes())
    header[21] &= 0xF0  # the upper 4 of the 36 bits with the number of samples
    header[22:26] = bytes(4)
    path.write_bytes(header)
    assert sound_info(path).seconds is None
    return path


def test_a_word_that_ends_a_long_silence_is_compared(tiny, hello, tmp_path):
    path = tmp_path / "late.wav"
    soundfile.write(path, np.concatenate([np.zeros(30 * 16000), hello[16000:20000]]), 16000)
    assert [len(segment) > 0 for segment in segments(path, tiny)] == [True]
    soundfile.write(path, np.concatenate([np.zeros(30 * 16000), hello[:16000]]), 16000)
    assert [len(segment) for segment in segments(path, tiny)] == [0, 16000]


def test_a_recording_of_any_level_is_compared_if_its_conversion_has_sound(context, hello, tmp_path):
    source, silent = tmp_path / "source.wav", tmp_path / "silent.wav"
    soundfile.write(source, 2e4 * hello, 16000, subtype="FLOAT")  # as integers that none scaled
    soundfile.write(silent, 0 * hello, 16000)
    drawn, similarity = compare(context, source, source, [source])
    assert drawn and similarity["target"]["after"] == pytest.approx(1)
    assert compare(context, source, silent, [source]) == (None, None)


def test_seconds_are_counted_up_to_the_limit(tmp_path):
    path = unknown_length(tmp_path / "stream.flac", 200)
    assert seconds_up_to(path, 300) == 200
    assert 60 < seconds_up_to(path, 60) < 200


@pytest.mark.parametrize(
    ("name", "arguments", "limit"),
    [
        ("swap", lambda long, short: (short, long), "2"),
        ("convert", lambda long, short: (long, short, None, None), "3"),
        ("convert", lambda long, short: (short, long, None, None), "2"),
        ("batch", lambda long, short: ([long], [short], None), "3"),
        ("batch", lambda long, short: ([short], [long], None), "2"),
        ("listen_recordings", lambda long, short: (long, None), "2"),
        ("adapt_voice", lambda long, short: ([long], "Anna", True), "2.5"),
    ],
)
def test_a_length_that_no_header_tells_is_counted(
    address, speech, tmp_path, monkeypatch, name, arguments, limit
):
    monkeypatch.setattr("voiceswap.ui.adapt_panel.TOGETHER_SECONDS", 150.0)
    long = handle_file(unknown_length(tmp_path / "long.flac", 200))
    client = Client(address, verbose=False)
    with pytest.raises(AppError, match=f"^long.flac is longer than {limit} minutes"):
        client.predict(*arguments(long, handle_file(speech[0])), api_name=f"/{name}")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("adapt_voice", (), ("Anna", True)),
        ("listen_recordings", (None,), ()),
        ("batch", (), (None, ["Anna", "Ben"])),
    ],
)
def test_all_recordings_together_are_bounded(
    address, context, swapper, speech, monkeypatch, name, before, after
):
    for voice in ("Anna", "Ben") if name == "batch" else ():
        context.library.add(voice, swapper.sample(1))
    monkeypatch.setattr(inputs, "TOGETHER_SECONDS", 5.0)
    monkeypatch.setattr("voiceswap.ui.adapt_panel.TOGETHER_SECONDS", 5.0)
    monkeypatch.setattr("voiceswap.ui.batch_tab.BATCH_SOURCES", 2 * 5 / 180)  # in two voices
    client = Client(address, verbose=False)
    files = [handle_file(path) for path in speech[:3]]
    with pytest.raises(AppError, match=r"^The recordings are longer than 0.1 minutes together"):
        client.predict(*before, files, *after, api_name=f"/{name}")


def test_what_is_chosen_twice_counts_once(context, swapper, speech):
    context.library.add("Anna", swapper.sample(1))
    chosen = require_references(context, [str(speech[0])] * 3, ["Anna"] * 3)
    assert chosen == [str(speech[0]), context.library.path("Anna")]
