"""The real command on tiny corpora in each corpus's own folder layout, and on the real ones where they are."""

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

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

# Corpus: files of three speakers at most, {} for a number; the folder to give; speakers; and files
# that are not to be read.
LAYOUTS = {
    "vctk": (
        [
            "wav48_silence_trimmed/p225/p225_00{}_mic1.flac",
            "wav48_silence_trimmed/p280/p280_00{}_mic1.flac",
        ],
        "",
        {"vctk-p225", "vctk-p280"},
        ["wav48_silence_trimmed/p225/p225_001_mic2.flac"],
    ),
    "librispeech": (
        [
            "train-clean-100/103/1240/103-1240-000{}.flac",
            "train-clean-100/19/198/19-198-000{}.flac",
        ],
        "train-clean-100",
        {"librispeech-103", "librispeech-19"},
        ["dev-clean/84/121123/84-121123-0000.flac"],
    ),
    "libritts": (
        [
            "train-clean-100/103/1241/103_1241_000000_00000{}.wav",
            "train-clean-100/1034/121119/1034_121119_000001_00000{}.wav",
        ],
        "train-clean-100",
        {"libritts-103", "libritts-1034"},
        ["train-clean-100/103/1241/._103_1241_000000_000001.wav"],
    ),
    "ljspeech": (["wavs/LJ001-000{}.wav"], "", {"ljspeech-LJ"}, []),
    "cmu-arctic": (
        ["cmu_us_bdl_arctic/wav/arctic_a000{}.wav", "cmu_us_slt_arctic/wav/arctic_a000{}.wav"],
        "",
        {"cmu-arctic-bdl", "cmu-arctic-slt"},
        ["cmu_us_bdl_arctic/orig/arctic_a0001.wav"],
    ),
    "aishell3": (
        [
            "train/wav/SSB0005/SSB0005000{}.wav",
            "test/wav/SSB0005/SSB0005030{}.wav",
            "test/wav/SSB0009/SSB0009000{}.wav",
        ],
        "",
        {"aishell3-SSB0005", "aishell3-SSB0009"},
        [],
    ),
    "mls": (
        [
            "mls_polish_opus/train/audio/6892/10349/6892_10349_00000{}.opus",
            "mls_polish_opus/train/audio/8758/8338/8758_8338_00000{}.opus",
        ],
        "mls_polish_opus",
        {"mls-polish-6892", "mls-polish-8758"},
        ["mls_polish_opus/test/audio/1/2/1_2_000001.opus"],
    ),
    "common-voice": (
        [
            "cv-corpus-21.0/pl/clips/common_voice_pl_100{}.mp3",
            "cv-corpus-21.0/pl/clips/common_voice_pl_200{}.mp3",
        ],
        "cv-corpus-21.0/pl",
        {"common-voice-pl-" + "a1" * 8, "common-voice-pl-" + "b2" * 8},
        ["cv-corpus-21.0/pl/clips/common_voice_pl_3000.mp3"],
    ),
    "esd": (
        ["0001/Angry/0001_00035{}.wav", "0011/Sad/train/0011_00105{}.wav"],
        "",
        {"esd-0001", "esd-0011"},
        [],
    ),
    "jvs": (
        [
            "jvs001/parallel100/wav24kHz16bit/VOICEACTRESS100_00{}.wav",
            "jvs001/nonpara30/wav24kHz16bit/VOICEACTRESS100_00{}.wav",
        ],
        "",
        {"jvs-jvs001"},
        ["jvs001/whisper10/wav24kHz16bit/VOICEACTRESS100_001.wav"],
    ),
    "speakers": (
        ["anna/{}.wav", "ben/a/{}.flac", "ben/b/{}.flac"],
        "",
        {"speakers-anna", "speakers-ben"},
        ["loose.wav"],
    ),
    "recordings": (
        ["talk{}.wav", "more/talk{}.wav"],
        "",
        {"recordings-talk1", "recordings-talk2", "recordings-more-talk1", "recordings-more-talk2"},
        [],
    ),
}


def run(*arguments) -> str:
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
    soundfile.write(
        path,
        *speech,
        format="OGG" if path.suffix == ".opus" else None,
        subtype="OPUS" if path.suffix == ".opus" else None,
    )


@pytest.mark.parametrize("corpus", LAYOUTS)
def test_a_corpus_in_its_own_layout(corpus, speech, tmp_path):
    files, root, speakers, unwanted = LAYOUTS[corpus]
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
    said = run(corpus, tmp_path / "in" / root, tmp_path / "out", "--jobs", 1)
    [report] = (tmp_path / "out").glob("*-report.json")
    name = report.name.removesuffix("-report.json")
    made = cuts(tmp_path / "out", name)
    assert {cut.supervisions[0].speaker for cut in made.values()} == speakers
    assert (
        len(made) == 2 * len(files) and f"{len(made)} recordings" in said and "1 left out" in said
    )
    assert (
        files[0].format(9).rsplit("/", 1)[-1]
        in (tmp_path / "out" / f"{name}-left-out.txt").read_text()
    )
    for cut in made.values():
        assert abs(
            len(cut.load_audio()[0]) / cut.sampling_rate - cut.duration
        ) < 0.01 and cut.id.startswith(cut.supervisions[0].speaker)
    assert json.loads(report.read_text())["licence"]
    with pytest.raises(DataError, match="holds no"):
        run(corpus, tmp_path / "out", tmp_path / "other")


def test_end_pauses_go_and_speech_stays(speech, tmp_path):
    samples, rate = speech
    loud = np.flatnonzero(np.abs(samples) > 0.1 * np.abs(samples).max())[[0, -1]] / rate
    hush = np.random.default_rng(0).normal(0, 1e-5, 2 * rate)
    write(tmp_path / "in/anna/long.wav", (np.concatenate([hush, samples, hush]), rate))
    run("speakers", tmp_path / "in", tmp_path / "out")
    [cut] = cuts(tmp_path / "out", "speakers").values()
    assert 1.5 < cut.start < 2 + loud[0] and 2 + loud[1] < cut.end < len(samples) / rate + 2.5
    run("speakers", tmp_path / "in", tmp_path / "out", "--keep-pauses")
    [whole] = cuts(tmp_path / "out", "speakers").values()
    assert whole.id == cut.id and whole.start == 0 and whole.duration == cut.recording.duration
    start, duration = cut.start, cut.duration
    write(
        tmp_path / "in/anna/long.wav", (cut.load_audio()[0], rate)
    )  # what is trimmed once needs no trimming
    run("speakers", tmp_path / "in", tmp_path / "out")
    [again] = cuts(tmp_path / "out", "speakers").values()
    assert (
        again.id == cut.id
        and again.start == 0
        and again.duration == pytest.approx(duration, abs=1e-3)
        and start > 0
    )


def test_what_cannot_be_used_is_listed_with_the_reason(speech, tmp_path):
    samples, rate = speech
    bad = {
        "empty.wav": "empty file",
        "broken.wav": "can't be read",
        "cut-off.flac": "can't be read",
        "short.wav": "shorter than 1.0 s",
        "silent.wav": "silent",
        "quiet.wav": "below -60 dB",
        "clipped.wav": "clipped",
        "not-numbers.wav": "NaN",
        "telephone.wav": "8000 Hz, below 16000 Hz",
        "a-word.wav": "between its end pauses",
    }
    folder = tmp_path / "in/anna"
    write(folder / "good.wav", speech)
    write(folder / "stereo.wav", (np.stack([samples, samples], 1), rate))
    (folder / "empty.wav").touch()
    (folder / "broken.wav").write_bytes(b"RIFF, or so")
    write(folder / "whole.flac", speech)
    (folder / "cut-off.flac").write_bytes((folder / "whole.flac").read_bytes()[:5000])
    write(folder / "short.wav", (samples[: rate // 2], rate))
    write(folder / "silent.wav", (samples * 0, rate))
    write(folder / "quiet.wav", (samples / np.abs(samples).max() * 1e-3, rate))
    write(folder / "clipped.wav", (np.clip(samples * 50, -0.9, 0.9), rate))
    soundfile.write(
        folder / "not-numbers.wav",
        np.where(np.arange(len(samples)) == 5, np.nan, samples),
        rate,
        subtype="FLOAT",
    )
    write(folder / "telephone.wav", (samples[::2], rate // 2))
    start = int(np.abs(samples).argmax())
    word = np.zeros(3 * rate, np.float32)
    word[rate : rate + rate // 10] = samples[start : start + rate // 10]
    write(folder / "a-word.wav", (word, rate))
    run("speakers", tmp_path / "in", tmp_path / "out", "--min-rate", 16000, "--jobs", 2)
    lines = (tmp_path / "out/speakers-left-out.txt").read_text().splitlines()
    assert len(lines) == len(bad)
    for name, reason in bad.items():
        assert any(f"/{name}: " in line and reason in line for line in lines), name
    made = cuts(tmp_path / "out", "speakers")
    assert {cut.split("-")[-1] for cut in made} == {"good", "stereo", "whole"}
    assert made["speakers-anna-stereo"].load_audio().shape[0] == 2


def test_a_long_recording_becomes_pieces_that_are_all_of_it(speech, tmp_path):
    samples, rate = speech
    write(tmp_path / "in/lecture.flac", (np.resize(samples, 75 * rate), rate))
    run("recordings", tmp_path / "in", tmp_path / "out", "--keep-pauses")
    made = list(cuts(tmp_path / "out", "recordings").values())
    assert len(made) == 3 and {cut.supervisions[0].speaker for cut in made} == {
        "recordings-lecture"
    }
    assert sum(cut.duration for cut in made) == pytest.approx(75, abs=0.01)
    assert all(a.end == pytest.approx(b.start) for a, b in pairwise(made))


def test_parts_share_no_speaker_and_depend_on_names_alone():
    names = [f"corpus-{i}" for i in range(5000)]
    parts = {name: part_of(name, 0.04) for name in names}
    for part in ("validation", "test"):
        assert 0.03 < sum(parts[name] == part for name in names) / len(names) < 0.05
    assert all(
        part_of(name) == ("train" if parts[name] == "test" else parts[name]) for name in names
    )  # tests are taken from training


def test_a_run_that_was_killed_goes_on_and_ends_the_same(speech, tmp_path):
    for i in range(120):
        write(tmp_path / f"in/anna/{i:03}.wav", speech)
    line = [
        sys.executable,
        "-m",
        "data_prep",
        "speakers",
        str(tmp_path / "in"),
        str(tmp_path / "out"),
        "--jobs",
        "1",
    ]
    process = subprocess.Popen(line, start_new_session=True, stdout=subprocess.DEVNULL)
    journal = tmp_path / "out/.speakers-checked.jsonl"
    while not journal.exists() or journal.read_text().count("\n") < 24:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not list((tmp_path / "out").glob("*.gz"))
    notes = journal.read_text().replace(
        '"start": 0.2', '"start": 0.125', 1
    )  # tells whether what was noted is used
    journal.write_text(notes + '{"path": "a line cut o')
    run("speakers", tmp_path / "in", tmp_path / "out", "--jobs", 1)
    made = list(cuts(tmp_path / "out", "speakers").values())
    assert (
        len(made) == 120 and [cut.start for cut in made].count(0.125) == 1 and not journal.exists()
    )


@pytest.mark.parametrize(
    ("corpus", "folder", "speakers"),
    [("librispeech", "LibriSpeech/test-other", 10), ("speakers", "speakers", 43)],
)
def test_real_corpora(corpora, tmp_path, corpus, folder, speakers):
    said = run(corpus, corpora / folder, tmp_path, "--jobs", 2)
    assert f"{speakers} speakers" in said and ", 0 left out" in said
    made = cuts(tmp_path, corpus)
    again = {
        cut.id: check_recording(Path(cut.recording.sources[0].source), Checks(keep_pauses=True))
        for cut in made.values()
    }
    for name, cut in made.items():
        samples = cut.recording.load_audio()[0]
        inside = samples[round(cut.start * cut.sampling_rate) : round(cut.end * cut.sampling_rate)]
        assert again[name]["duration"] == cut.recording.duration >= cut.duration
        assert np.square(inside).sum() > 0.999 * np.square(samples).sum()  # no speech is lost
