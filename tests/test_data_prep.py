"""The command on tiny corpora in each corpus's own layout, and on the real ones if present."""

import json
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import librosa
import numpy as np
import pytest
import soundfile
from lhotse import CutSet
from typer.testing import CliRunner

from data_prep import __main__ as command
from data_prep.manifests import part_of
from data_prep.speech_check import Checks, check_recording
from voiceswap.errors import DataError
from voiceswap.examples import HELLO


class Layout(NamedTuple):
    """A corpus as it is distributed.

    `files` has {} for a number; `root` is the folder to give; `unwanted` files must not be read.
    """

    files: list[str]
    speakers: set[str]
    root: str = ""
    unwanted: tuple[str, ...] = ()


CLIPS = "cv-corpus-21.0/pl/clips/common_voice_pl"
JVS = "jvs001/{}/wav24kHz16bit/VOICEACTRESS100"
LIBRISPEECH = ["103/1240/103-1240-000{}.flac", "19/198/19-198-000{}.flac"]
LIBRITTS = ["103/1241/103_1241_000000_00000{}.wav", "1034/121119/1034_121119_000001_00000{}.wav"]
MLS = ["6892/10349/6892_10349_00000{}.opus", "8758/8338/8758_8338_00000{}.opus"]
VCTK = "wav48_silence_trimmed"

LAYOUTS = {
    "vctk": Layout(
        [f"{VCTK}/p225/p225_00{{}}_mic1.flac", f"{VCTK}/p280/p280_00{{}}_mic1.flac"],
        {"vctk-p225", "vctk-p280"},
        unwanted=(f"{VCTK}/p225/p225_001_mic2.flac",),
    ),
    "librispeech": Layout(
        [f"train-clean-100/{file}" for file in LIBRISPEECH],
        {"librispeech-103", "librispeech-19"},
        root="train-clean-100",
        unwanted=("dev-clean/84/121123/84-121123-0000.flac",),
    ),
    "libritts": Layout(
        [f"train-clean-100/{file}" for file in LIBRITTS],
        {"libritts-103", "libritts-1034"},
        root="train-clean-100",
        unwanted=("train-clean-100/103/1241/._103_1241_000000_000001.wav",),
    ),
    "ljspeech": Layout(["wavs/LJ001-000{}.wav"], {"ljspeech-LJ"}),
    "cmu-arctic": Layout(
        ["cmu_us_bdl_arctic/wav/arctic_a000{}.wav", "cmu_us_slt_arctic/wav/arctic_a000{}.wav"],
        {"cmu-arctic-bdl", "cmu-arctic-slt"},
        unwanted=("cmu_us_bdl_arctic/orig/arctic_a0001.wav",),
    ),
    "aishell3": Layout(
        [
            "train/wav/SSB0005/SSB0005000{}.wav",
            "test/wav/SSB0005/SSB0005030{}.wav",
            "test/wav/SSB0009/SSB0009000{}.wav",
        ],
        {"aishell3-SSB0005", "aishell3-SSB0009"},
    ),
    "mls": Layout(
        [f"mls_polish_opus/train/audio/{file}" for file in MLS],
        {"mls-polish-6892", "mls-polish-8758"},
        root="mls_polish_opus",
        unwanted=("mls_polish_opus/test/audio/1/2/1_2_000001.opus",),
    ),
    "common-voice": Layout(
        [f"{CLIPS}_100{{}}.mp3", f"{CLIPS}_200{{}}.mp3"],
        {"common-voice-pl-" + "a1" * 8, "common-voice-pl-" + "b2" * 8},
        root="cv-corpus-21.0/pl",
        unwanted=(f"{CLIPS}_3000.mp3",),
    ),
    "esd": Layout(
        ["0001/Angry/0001_00035{}.wav", "0011/Sad/train/0011_00105{}.wav"], {"esd-0001", "esd-0011"}
    ),
    "jvs": Layout(
        [f"{JVS.format(style)}_00{{}}.wav" for style in ("parallel100", "nonpara30")],
        {"jvs-jvs001"},
        unwanted=(f"{JVS.format('whisper10')}_001.wav",),
    ),
    "speakers": Layout(
        ["anna/{}.wav", "ben/a/{}.flac", "ben/b/{}.flac"],
        {"speakers-anna", "speakers-ben"},
        unwanted=("loose.wav",),
    ),
    "recordings": Layout(
        ["talk{}.wav", "more/talk{}.wav"],
        {f"recordings-{name}" for name in ("talk1", "talk2", "more-talk1", "more-talk2")},
    ),
}


@cache
def load_librosa() -> None:
    """So that not every process of a preparation loads it anew, which takes two seconds."""
    librosa.effects.trim(np.ones(4096))


def run(*arguments) -> str:
    load_librosa()
    result = CliRunner().invoke(command.app, list(map(str, arguments)))
    if isinstance(result.exception, DataError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def cuts(out, name) -> dict:
    return {
        cut.id: cut
        for part in ("train", "validation", "test")
        for cut in CutSet.from_jsonl_lazy(out / f"{name}-{part}.jsonl.gz")
    }


@pytest.fixture(scope="module")
def speech():
    return soundfile.read(HELLO, dtype="float32")


def write(path, speech) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
    soundfile.write(path, *speech, **kind)


@pytest.mark.parametrize("corpus", LAYOUTS)
def test_a_corpus_in_its_own_layout(corpus, speech, tmp_path):
    files, speakers, root, unwanted = LAYOUTS[corpus]
    for pattern in files:
        for take in (1, 2):
            write(tmp_path / "in" / pattern.format(take), speech)
    for path in unwanted:
        write(tmp_path / "in" / path, speech)
    (tmp_path / "in" / files[0].format(9)).write_bytes(b"no sound")
    if corpus == "common-voice":
        rows = [("a1" * 64, f"common_voice_pl_100{take}.mp3") for take in (1, 2, 9)]
        rows += [("b2" * 64, f"common_voice_pl_200{take}.mp3") for take in (1, 2)]
        table = "client_id\tpath\tsentence\n" + "".join(
            f'{account}\t{path}\tTo "jest\n' for account, path in rows
        )
        (tmp_path / "in" / root / "validated.tsv").write_text(table)
    output = run(corpus, tmp_path / "in" / root, tmp_path / "out", "--jobs", 1)
    [report] = (tmp_path / "out").glob("*-report.json")
    name = report.name.removesuffix("-report.json")
    made = cuts(tmp_path / "out", name)
    assert {cut.supervisions[0].speaker for cut in made.values()} == speakers
    assert len(made) == 2 * len(files)
    left_out = 1 + (corpus == "speakers")  # a loose file there has no speaker
    assert f"{len(made)} recordings" in output and f"{left_out} left out" in output
    left_out = (tmp_path / "out" / f"{name}-left-out.txt").read_text()
    assert Path(files[0].format(9)).name in left_out
    for cut in made.values():
        seconds = len(cut.load_audio()[0]) / cut.sampling_rate
        assert abs(seconds - cut.duration) < 0.01
        assert cut.id.startswith(cut.supervisions[0].speaker)
    assert json.loads(report.read_text())["licence"]
    with pytest.raises(DataError, match="holds no"):
        run(corpus, tmp_path / "out", tmp_path / "other")


def test_end_pauses_are_trimmed_and_speech_is_kept(speech, tmp_path):
    samples, rate = speech
    loud = np.flatnonzero(np.abs(samples) > 0.1 * np.abs(samples).max())[[0, -1]] / rate
    pause = np.random.default_rng(0).normal(0, 1e-5, 2 * rate)
    write(tmp_path / "in/anna/long.wav", (np.concatenate([pause, samples, pause]), rate))
    run("speakers", tmp_path / "in", tmp_path / "out")
    [cut] = cuts(tmp_path / "out", "speakers").values()
    assert 1.5 < cut.start < 2 + loud[0] and 2 + loud[1] < cut.end < len(samples) / rate + 2.5
    run("speakers", tmp_path / "in", tmp_path / "out", "--keep-pauses")
    [whole] = cuts(tmp_path / "out", "speakers").values()
    assert whole.id == cut.id and whole.start == 0 and whole.duration == cut.recording.duration
    start, duration = cut.start, cut.duration
    write(tmp_path / "in/anna/long.wav", (cut.load_audio()[0], rate))
    run("speakers", tmp_path / "in", tmp_path / "out")
    [again] = cuts(tmp_path / "out", "speakers").values()  # trimmed audio is not trimmed again
    assert again.id == cut.id and again.start == 0 < start
    assert again.duration == pytest.approx(duration, abs=1e-3)


def test_unusable_files_are_listed_with_the_reason(speech, tmp_path):
    samples, rate = speech
    bad = {
        "empty.wav": "empty file",
        "broken.wav": "can't be read",
        "cut-off.flac": "shorter than 1.0 s",
        "short.wav": "shorter than 1.0 s",
        "silent.wav": "silent",
        "quiet.wav": "below -60 dB",
        "clipped.wav": "clipped",
        "not-numbers.wav": "NaN",
        "telephone.wav": "8000 Hz, below 12800 Hz",
        "a-word.wav": "between its end pauses",
        "loose.m4a": "in no speaker's folder",
    }
    folder = tmp_path / "in/anna"
    write(folder / "good.wav", speech)
    write(folder / "stereo.wav", (np.stack([samples, samples], 1), rate))
    (folder / "empty.wav").touch()
    (tmp_path / "in/loose.m4a").touch()
    (folder / "broken.wav").write_bytes(b"RIFF, or so")
    write(folder / "whole.flac", speech)
    (folder / "cut-off.flac").write_bytes((folder / "whole.flac").read_bytes()[:5000])
    (folder / "most.flac").write_bytes((folder / "whole.flac").read_bytes()[:-20000])
    write(folder / "short.wav", (samples[: rate // 2], rate))
    write(folder / "silent.wav", (samples * 0, rate))
    write(folder / "quiet.wav", (samples / np.abs(samples).max() * 1e-3, rate))
    write(folder / "clipped.wav", (np.clip(samples * 50, -0.9, 0.9), rate))
    with_nan = np.where(np.arange(len(samples)) == 5, np.nan, samples)
    soundfile.write(folder / "not-numbers.wav", with_nan, rate, subtype="FLOAT")
    write(folder / "telephone.wav", (samples[::3], rate // 3))
    start = int(np.abs(samples).argmax())
    word = np.zeros(3 * rate, np.float32)
    word[rate : rate + rate // 10] = samples[start : start + rate // 10]
    write(folder / "a-word.wav", (word, rate))
    run("speakers", tmp_path / "in", tmp_path / "out", "--jobs", 2)
    lines = (tmp_path / "out/speakers-left-out.txt").read_text().splitlines()
    assert len(lines) == len(bad)
    for name, reason in bad.items():
        assert any(f"/{name}: " in line and reason in line for line in lines), name
    made = cuts(tmp_path / "out", "speakers")
    assert {cut.split("-")[-1] for cut in made} == {"good", "stereo", "whole", "most"}
    assert made["speakers-anna-most"].load_audio().shape[1] < len(samples)
    assert made["speakers-anna-stereo"].load_audio().shape[0] == 2


def test_a_long_recording_is_cut_into_pieces_without_gaps(speech, tmp_path):
    samples, rate = speech
    write(tmp_path / "in/lecture.flac", (np.resize(samples, 75 * rate), rate))
    run("recordings", tmp_path / "in", tmp_path / "out", "--keep-pauses")
    made = list(cuts(tmp_path / "out", "recordings").values())
    assert 3 <= len(made) <= 6 and all(cut.duration <= 30 for cut in made)
    assert {cut.supervisions[0].speaker for cut in made} == {"recordings-lecture"}
    assert sum(cut.duration for cut in made) == pytest.approx(75, abs=0.01)
    assert all(a.end == pytest.approx(b.start) for a, b in pairwise(made))


def test_parts_share_no_speaker_and_depend_on_names_alone():
    names = [f"corpus-{i}" for i in range(5000)]
    parts = {name: part_of(name, 0.04) for name in names}
    for part in ("validation", "test"):
        assert 0.03 < sum(parts[name] == part for name in names) / len(names) < 0.05
    for name in names:  # without a test share, its speakers are in training
        assert part_of(name) == ("train" if parts[name] == "test" else parts[name])


@pytest.mark.parametrize(
    ("corpus", "folder", "speakers"),
    [("librispeech", "LibriSpeech/test-other", 10), ("speakers", "speakers", 43)],
)
def test_real_corpora(corpora, tmp_path, corpus, folder, speakers):
    output = run(corpus, corpora / folder, tmp_path, "--jobs", 2)
    assert f"{speakers} speakers" in output and ", 0 left out" in output
    made = cuts(tmp_path, corpus)
    again = {
        cut.id: check_recording(
            Path(cut.recording.sources[0].source), Checks(keep_pauses=True), tmp_path
        )
        for cut in made.values()
    }
    for name, cut in made.items():
        samples = cut.recording.load_audio()[0]
        inside = samples[round(cut.start * cut.sampling_rate) : round(cut.end * cut.sampling_rate)]
        assert again[name]["pieces"][0][1] == cut.recording.duration >= cut.duration
        assert np.square(inside).sum() > 0.999 * np.square(samples).sum()  # no speech is lost
