"""What people bring to a preparation: phones' files, long recordings, low rates, a kill."""

import gzip
import io
import os
import runpy
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from lhotse import CutSet
from talks import crashing_environment
from test_data_prep import cuts, run, write
from test_formats import KINDS
from test_formats import write as write_by_ffmpeg

from data_prep import __main__ as command
from data_prep.speech_check import MIN_RATE
from voiceswap.audio_io.resampling import resample
from voiceswap.dsp.pauses import cut_at_pauses
from voiceswap.examples import HELLO
from voiceswap.features import AudioConfig
from voiceswap.training.data import MIN_RATE_SHARE

LINUX = sys.platform == "linux"
NO_UTF_8 = "caf\udce9"  # a name of bytes that are not UTF-8, which Linux allows


@pytest.fixture(scope="module")
def speech():
    return soundfile.read(HELLO, dtype="float32")


def test_what_phones_and_crashed_recorders_make_is_prepared_and_loaded(speech, tmp_path):
    samples, rate = speech
    folder = tmp_path / "in/anna"
    write(folder / "first.mp3", speech)
    first = (folder / "first.mp3").read_bytes()
    (folder / "two.mp3").write_bytes(first + first)
    write(folder / "crashed.wav", speech)
    crashed = bytearray((folder / "crashed.wav").read_bytes())
    place = crashed.find(b"data")
    crashed[place + 4 : place + 8] = bytes(4)
    (folder / "crashed.wav").write_bytes(crashed)
    for ending in ("m4a", "mp4", "webm"):
        memo = resample(samples, rate, 16000)
        write_by_ffmpeg(folder / f"memo.{ending}", memo, *KINDS[ending])
    if LINUX:
        (folder / f"{NO_UTF_8}.wav").write_bytes((folder / "crashed.wav").read_bytes())
    run("speakers", tmp_path / "in", tmp_path / "out", "--keep-pauses", "--jobs", 1)
    made = cuts(tmp_path / "out", "speakers")
    assert (tmp_path / "out/speakers-left-out.txt").read_text() == ""
    assert len(made) == 6 + LINUX
    for name, cut in made.items():
        seconds = len(samples) / rate * (2 if "two" in name else 1)
        loaded = cut.load_audio()
        assert loaded.shape[1] / cut.sampling_rate == pytest.approx(seconds, abs=0.25), name
        assert np.abs(loaded).max() > 0.1


def test_a_long_recording_is_cut_at_pauses(speech, tmp_path):
    samples, rate = speech
    pause = np.zeros(rate // 2, np.float32)
    write(tmp_path / "in/talk.flac", (np.tile(np.concatenate([samples, pause]), 18), rate))
    run("recordings", tmp_path / "in", tmp_path / "out", "--keep-pauses")
    made = sorted(cuts(tmp_path / "out", "recordings").values(), key=lambda cut: cut.start)
    whole = made[0].recording.load_audio()[0]
    for cut in made[:-1]:
        near = whole[round((cut.end - 0.05) * rate) : round((cut.end + 0.05) * rate)]
        assert np.abs(near).max() < 0.02 * np.abs(whole).max()


@pytest.mark.parametrize("rate", [11127, 16040, 44100])
def test_cuts_stay_in_the_pauses_at_every_rate_and_no_part_is_tiny(rate):
    noise = np.random.default_rng(0).standard_normal(300 * rate).astype(np.float32)
    samples = noise * (np.arange(len(noise)) / rate % 2.2 < 2)
    for seconds in (19.9, 20.1, 23, 26.5, 40.3, 300):
        parts = cut_at_pauses(samples[: int(seconds * rate)], rate, 20.0)
        assert sum(map(len, parts)) == int(seconds * rate)
        lengths = [len(part) / rate for part in parts]
        assert max(lengths) <= 20 and (len(parts) == 1 or min(lengths) >= 4.9)
        ends = np.cumsum(lengths)[:-1]
        assert all(1.99 < end % 2.2 < 2.2 for end in ends), ends


def test_preparation_says_whether_the_data_will_do(speech, tmp_path):
    samples, rate = speech
    write(tmp_path / "in/good.wav", (np.tile(samples, 5), rate))
    write(tmp_path / "in/clipped.wav", (np.clip(samples * 50, -0.9, 0.9), rate))
    noise = np.random.default_rng(0).standard_normal(5 * len(samples)) * 0.02
    output = run("recordings", tmp_path / "in", tmp_path / "out")
    assert "minutes of speech, of 10 advised; 1 clipped recording left out; noise" in output
    write(tmp_path / "in/good.wav", (np.tile(samples, 5) + noise, rate))
    output = run("recordings", tmp_path / "in", tmp_path / "out")
    assert "dB below speech, of 20 advised." in output


def test_preparation_refuses_the_rates_that_training_refuses():
    assert round(MIN_RATE_SHARE * AudioConfig().sample_rate) == MIN_RATE


def test_links_are_followed_once(speech, tmp_path):
    write(tmp_path / "elsewhere/anna/first.wav", speech)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/anna").symlink_to(tmp_path / "elsewhere/anna")
    (tmp_path / "elsewhere/anna/deeper").symlink_to(tmp_path / "elsewhere")  # in a circle
    run("speakers", tmp_path / "in", tmp_path / "out", "--keep-pauses", "--jobs", 1)
    assert list(cuts(tmp_path / "out", "speakers")) == ["speakers-anna-first"]


@pytest.mark.skipif(not LINUX, reason="file systems here hold UTF-8 names only")
def test_a_speaker_whose_name_is_not_utf_8(speech, tmp_path):
    write(tmp_path / "in/anna/first.wav", speech)
    (tmp_path / "in/anna").rename(tmp_path / "in" / NO_UTF_8)
    run("speakers", tmp_path / "in", tmp_path / "out", "--jobs", 1)
    [cut] = cuts(tmp_path / "out", "speakers").values()
    assert cut.supervisions[0].speaker == r"speakers-caf\udce9"


def test_names_that_the_systems_encoding_lacks(speech, tmp_path, monkeypatch):
    """As Chinese ones on Windows in western countries."""
    write(tmp_path / "in/小明/first.wav", speech)
    arguments = ["speakers", tmp_path / "in", tmp_path / "out", "--name", "名", "--jobs", 1]
    monkeypatch.setattr(sys, "argv", ["data_prep", *map(str, arguments)])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "cp1252"))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(command.__file__, run_name="__main__")
    assert not ended.value.code and b"1 speakers" in sys.stdout.buffer.getvalue()
    assert gzip.decompress((tmp_path / "out/名-train.jsonl.gz").read_bytes()).isascii()
    [cut] = cuts(tmp_path / "out", "名").values()
    assert cut.supervisions[0].speaker == "名-小明"


@pytest.mark.skipif(sys.platform == "win32", reason="ends a process by a signal")
def test_a_file_that_crashes_its_decoder_is_left_out(speech, tmp_path):
    for name in ("crashes-always", "crashes-once", "good"):
        write(tmp_path / f"in/anna/{name}.wav", speech)
    command = [sys.executable, "-m", "data_prep", "speakers", tmp_path / "in", tmp_path / "out"]
    subprocess.run(
        command, check=True, timeout=600, env=os.environ | crashing_environment(tmp_path)
    )
    assert set(cuts(tmp_path / "out", "speakers")) == {
        "speakers-anna-crashes-once",
        "speakers-anna-good",
    }
    [line] = (tmp_path / "out/speakers-left-out.txt").read_text().splitlines()
    assert "crashes-always.wav: the process that decodes it dies" in line


def test_noisy_recordings_are_left_out_where_that_is_asked_for(speech, tmp_path):
    samples, rate = speech
    noise = np.random.default_rng(0).standard_normal(len(samples)).astype(np.float32)
    write(tmp_path / "in/anna/good.wav", speech)
    write(tmp_path / "in/anna/noisy.wav", (samples + 0.2 * samples.std() * noise, rate))
    for options, names in (((), {"good", "noisy"}), (("--min-snr", 25), {"good"})):
        run("speakers", tmp_path / "in", tmp_path / "out", *options)
        assert {name.split("-")[-1] for name in cuts(tmp_path / "out", "speakers")} == names
    line = (tmp_path / "out/speakers-left-out.txt").read_text()
    assert "noisy.wav: noise 1" in line and "where --min-snr asks for 25" in line


def test_every_recording_and_piece_has_an_id_of_its_own(speech, tmp_path):
    samples, rate = speech
    folder = tmp_path / "in/anna"
    write(folder / "talk.wav", (np.resize(samples, 75 * rate), rate))  # its pieces are numbered
    for name in ("talk-1.wav", "day-1/take.wav", "day/1/take.wav", "take.wav", "alone.wav"):
        write(folder / name, speech)
    write(tmp_path / "in/anna-day/take.wav", speech)
    runs = []
    for place in ("in", "moved"):  # ids are those of the corpus, wherever it lies
        (tmp_path / "in").rename(tmp_path / place)
        output = run("speakers", tmp_path / place, tmp_path / "out", "--test-share", 0)
        assert "2 speakers, 7 recordings" in output
        made = list(CutSet.from_file(tmp_path / "out/speakers-train.jsonl.gz"))
        assert len({cut.recording.sources[0].source for cut in made}) == 7
        runs.append({cut.id for cut in made})
        assert len(runs[-1]) == len(made) > 7 + 2
    assert runs[0] == runs[1]
    assert {"speakers-anna-alone", "speakers-anna-day-take"} < runs[0]


def test_unknown_speakers_whose_names_collide_are_told_apart(speech, tmp_path):
    for name in ("a/b.wav", "a-b.wav", "x.wav", "x.mp3", "y.wav"):
        write(tmp_path / "in" / name, speech)
    assert "5 speakers, 5 recordings" in run("recordings", tmp_path / "in", tmp_path / "out")
    voices = {cut.supervisions[0].speaker for cut in cuts(tmp_path / "out", "recordings").values()}
    assert len(voices) == 5 and "recordings-y" in voices


def test_a_table_of_clips_that_was_cut_off_is_read_to_there(speech, tmp_path):
    for name in ("a.mp3", "b.mp3"):
        write(tmp_path / "in/clips" / name, speech)
    whole = "client_id\tpath\tsentence\n" + "a" * 128 + "\ta.mp3\tZażółć\n"
    for tail, lost in ((b"b" * 40, 1), (b"b\t", 1), (b"b\tb.mp3\tZa\xc5", 0), (bytes(200000), 0)):
        (tmp_path / "in/validated.tsv").write_bytes(whole.encode("utf-8-sig") + tail)
        output = run("common-voice", tmp_path / "in", tmp_path / "out")
        clips = 1 + (b"b.mp3" in tail)
        assert f"{clips} recordings" in output and f"{lost} left out" in output
        line = (tmp_path / "out/common-voice-in-left-out.txt").read_text()
        assert ("validated.tsv, line 3: lacks a client_id or a path" in line) == bool(lost)


@pytest.mark.skipif(os.name != "posix", reason="ends a process group by a signal")
def test_a_run_that_was_killed_goes_on_and_ends_the_same(speech, tmp_path):
    for i in range(120):
        write(tmp_path / f"in/anna/{i:03}.wav", speech)
    arguments = ["speakers", tmp_path / "in", tmp_path / "out", "--jobs", "1"]
    command_line = [sys.executable, "-m", "data_prep", *map(str, arguments)]
    process = subprocess.Popen(command_line, start_new_session=True, stdout=subprocess.DEVNULL)
    log = tmp_path / "out/.speakers-checked.jsonl"
    while not log.exists() or log.read_text().count("\n") < 24:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not list((tmp_path / "out").glob("*.gz"))
    # A changed result shows that the log is used.
    lines = log.read_text().replace('"pieces": [[0.2', '"pieces": [[0.125', 1)
    log.write_text(lines + '{"path": "a line cut o')
    run("speakers", tmp_path / "in", tmp_path / "out", "--jobs", 1)
    made = list(cuts(tmp_path / "out", "speakers").values())
    assert len(made) == 120 and [cut.start for cut in made].count(0.125) == 1
    assert not log.exists()
