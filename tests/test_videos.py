"""Videos and phone memos out: their pictures, and the sound in its place."""

import warnings
from pathlib import Path

import av
import numpy as np
import pytest
from commands import command
from videos import CODECS, video

from voiceswap import AudioError
from voiceswap.audio import read_audio
from voiceswap.audio_io.timeline import Timeline
from voiceswap.audio_io.writing import write_audio
from voiceswap.batch import convert_folder


def packets(path: Path) -> list[tuple[float, bytes]]:
    """The pictures of a video as they are in the file, and when they are shown."""
    with av.open(str(path)) as container:
        found = (packet for packet in container.demux(video=0) if packet.size)
        return [(float(packet.pts * packet.time_base), bytes(packet)) for packet in found]


def start(path: Path) -> float:
    """Seconds at which a decoder's first samples are played."""
    with av.open(str(path)) as container:
        frame = next(container.decode(audio=0))
        return float(frame.pts * frame.time_base)


@pytest.mark.parametrize("ending", CODECS)
@pytest.mark.parametrize("late", [0.0, 0.5])
def test_a_video_keeps_its_pictures_and_gets_the_sound(
    tiny, hello, goodbye, tmp_path, ending, late
):
    source, out = video(tmp_path / f"talk.{ending}", hello, late), tmp_path / f"out.{ending}"
    tiny.convert_file(source, goodbye, out)
    tiny.convert_file(source, goodbye, tmp_path / "out.wav")
    kept, given = packets(out), packets(source)
    assert [data for _, data in kept] == [data for _, data in given]
    times, wanted_times = ([time for time, _ in video] for video in (kept, given))
    shift = times[0] - wanted_times[0]  # Matroska may move everything
    assert np.allclose(np.subtract(times, shift), wanted_times, atol=2e-3)
    sound, wanted = read_audio(out, 16000), read_audio(tmp_path / "out.wav", 16000)
    part = wanted[8000:40000]
    delay = int(np.argmax(np.correlate(sound[:44000], part, "valid")))
    assert abs(start(out) - shift + delay / 16000 - start(source) - 8000 / 16000) < 0.03
    assert abs(len(sound) - delay - len(wanted) + 8000) < 0.1 * 16000
    assert np.corrcoef(sound[delay : delay + 32000], part)[0, 1] > 0.9


def test_what_a_format_cannot_hold_is_a_sentence_and_leaves_nothing(tiny, hello, goodbye, tmp_path):
    source = video(tmp_path / "talk.webm", hello)
    with pytest.raises(AudioError, match=r"\.mp4 can't hold the pictures of .*talk\.webm; use \.m"):
        tiny.convert_file(source, goodbye, tmp_path / "out.mp4")
    with pytest.raises(AudioError, match="m4a can't hold 37000 Hz; it takes 7350, 8000"):
        tiny.convert_file(source, goodbye, tmp_path / "out.m4a", rate=37000)
    assert [path.name for path in tmp_path.iterdir()] == ["talk.webm"]


def test_without_a_name_for_the_result_a_video_stays_a_video(
    model, hello, goodbye, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    reference = write_audio(tmp_path / "anna.wav", goodbye, 16000)
    talk = video(tmp_path / "talk.mkv", hello)
    write_audio(tmp_path / "memo.webm", hello, 48000)
    video(tmp_path / "vp8.webm", hello).rename(tmp_path / "download.mp4")
    for source in (talk, tmp_path / "memo.webm", tmp_path / "download.mp4"):
        command(monkeypatch, "convert", source, "--target", reference, "--checkpoint", model)
    assert len(packets(tmp_path / "talk-in-the-voice-of-anna.mkv")) == len(packets(talk))
    assert (tmp_path / "memo-in-the-voice-of-anna.wav").exists()
    assert packets(tmp_path / "download-in-the-voice-of-anna.mkv")


def test_a_batch_keeps_videos(tiny, hello, goodbye, tmp_path):
    (tmp_path / "in").mkdir()
    source = video(tmp_path / "in" / "talk.mp4", hello)
    reference = write_audio(tmp_path / "voice.wav", goodbye, 16000)
    for out in ("one", "two"):
        convert_folder([tmp_path / "in"], [reference], tmp_path / out, swapper=tiny)
    assert len(packets(tmp_path / "one" / "talk.mp4")) == len(packets(source))
    assert (tmp_path / "one/talk.mp4").read_bytes() == (tmp_path / "two/talk.mp4").read_bytes()


def without_a_second(source: Path, path: Path) -> Path:
    """A video whose recorder lost its sound from 1.0 to 2.0 s."""
    with av.open(str(source)) as given, av.open(str(path), "w") as container:
        tracks = [container.add_stream_from_template(s, opaque=True) for s in given.streams]
        for packet in given.demux():
            time = float((packet.pts or 0) * packet.time_base)
            if packet.size and not (packet.stream.type == "audio" and 1 <= time < 2):
                packet.stream = tracks[packet.stream.index]
                container.mux(packet)
    return path


@pytest.mark.parametrize("ending", CODECS)
def test_words_after_lost_sound_stay_with_their_pictures(tiny, hello, goodbye, tmp_path, ending):
    whole = video(tmp_path / f"talk.{ending}", hello)
    source, out = without_a_second(whole, tmp_path / f"gap.{ending}"), tmp_path / f"out.{ending}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as one that it ends early
        sound = read_audio(source, 16000)
    where = int(np.argmax(np.correlate(sound, hello[40000:56000], "valid")))
    assert abs(where - 40000) < 0.003 * 16000
    assert np.abs(sound[18000:30000]).max() < 1e-3 and abs(len(sound) - len(hello)) < 0.05 * 16000
    tiny.convert_file(source, goodbye, out)
    assert abs(len(read_audio(out, 16000)) - len(hello)) < 0.1 * 16000


@pytest.mark.parametrize(
    ("times", "header", "seconds"),
    [
        ([0.0, 0.5, 1e9, 1.5], None, 2.0),  # a damaged number
        ([0.0, 3000.0, 6000.0], None, 3001.0),  # and two of them
        ([0.0, 50.0, 1.0], 2.0, 1.5),  # one that the header knows better
        ([0.0, 4000.0], 4000.5, 4000.5),
        ([0.0, 0.55, 1.11, 1.67], None, 2.11),  # small ones
        ([0.505 * number for number in range(30)], None, 15.0),  # a slow clock
        ([-0.5, 0.5], None, 1.5),
        ([7.0, 7.5, 10.0], 3.5, 3.5),
        ([0.0, None, 1.0, None, 3.0], None, 3.5),
        ([None, None, 9.0], None, 1.5),
    ],
)
def test_silence_is_put_where_the_times_have_a_gap(times, header, seconds):
    timeline = Timeline(1000, 2, header)
    parts = [x for time in times for x in timeline.placed(time, np.ones((500, 2), np.float32))]
    assert sum(map(len, parts)) / 1000 == pytest.approx(seconds, abs=0.002)
