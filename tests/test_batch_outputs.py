"""What comes out of a batch: formats, what is kept and what is done anew, any sound, any batch size."""

import os

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from talks import outputs, unlike, whole, write_talks

from voiceswap import VoiceswapError, VoiceSwapper
from voiceswap.batch import BatchOptions, Status, convert_folder
from voiceswap.batch.lock import only_run
from voiceswap.batch.names import WORK_FOLDER
from voiceswap.examples import GOODBYE

FULL = bool(os.environ.get("VOICESWAP_FULL"))


@pytest.mark.parametrize(
    ("name", "rate", "subtype", "written"),
    [
        ("a.wav", 44100, "PCM_24", ("WAV", 44100, "PCM_24")),
        ("a.wav", 8000, "PCM_U8", ("WAV", 8000, "PCM_U8")),
        ("a.wav", 96000, "FLOAT", ("WAV", 96000, "FLOAT")),
        ("a.flac", 48000, "PCM_24", ("FLAC", 48000, "PCM_24")),
        ("a.aiff", 22050, "PCM_32", ("AIFF", 22050, "PCM_32")),
        ("a.ogg", 32000, "VORBIS", ("OGG", 32000, "VORBIS")),
        ("a.opus", 24000, "OPUS", ("OGG", None, "OPUS")),
        ("a.mp3", 44100, "MPEG_LAYER_III", ("MP3", 44100, "MPEG_LAYER_III")),
        ("a.voc", 16000, "PCM_16", ("WAV", 16000, "PCM_16")),
    ],
)
def test_outputs_are_as_their_inputs(tmp_path, tiny, hello, name, rate, subtype, written):
    format = {"opus": "OGG", "aiff": "AIFF"}.get(name[2:], name[2:].upper())
    soundfile.write(
        tmp_path / name,
        np.stack([hello[: int(0.5 * rate)]] * (1 if name == "a.voc" else 2), 1),
        rate,
        subtype,
        format=format,
    )
    result = convert_folder(tmp_path / name, [GOODBYE], tmp_path / "out", swapper=tiny)
    assert result.exit_status == 0, list(result.failures)
    facts = soundfile.info(tmp_path / "out" / result.rows[0].output)
    assert (facts.format, facts.subtype, facts.channels) == (written[0], written[2], 1)
    assert written[1] is None or facts.samplerate == written[1]
    assert abs(facts.duration - soundfile.info(tmp_path / name).duration) < 0.1


def test_formats_that_cant_hold_it(tmp_path, tiny, hello):
    soundfile.write(tmp_path / "a.wav", hello, 96000, "FLOAT")
    for format, rate, subtype in (
        ("flac", 96000, "PCM_24"),
        ("mp3", 48000, "MPEG_LAYER_III"),
        ("opus", 48000, "OPUS"),
    ):
        result = convert_folder(
            tmp_path / "a.wav",
            [GOODBYE],
            tmp_path / "out",
            BatchOptions(format=format),
            swapper=tiny,
        )
        facts = soundfile.info(tmp_path / "out" / result.rows[0].output)
        assert (facts.samplerate, facts.subtype) == (rate, subtype)
    for options, sentence in (
        (BatchOptions(format="mp3", rate=96000), "mp3 can't hold 96000 Hz; it takes 8000"),
        (BatchOptions(format="flac", subtype="FLOAT"), "flac has no subtype FLOAT; it has PCM_S8"),
    ):
        result = convert_folder(
            tmp_path / "a.wav", [GOODBYE], tmp_path / "out", options, swapper=tiny, overwrite=True
        )
        assert result.exit_status == 2 and sentence in result.rows[0].error
    with pytest.raises(VoiceswapError, match="format 'm4a' can't be written"):
        BatchOptions(format="m4a")


@pytest.fixture
def batching(model) -> VoiceSwapper:
    """Four files at once, as a GPU would."""
    return VoiceSwapper.load(model, "cpu", batch_size=4)


def test_files_converted_together_are_as_those_converted_alone(
    tmp_path, tiny, batching, hello, monkeypatch
):
    paths = write_talks(tmp_path / "talks", 11, hello)
    soundfile.write(
        paths[10], np.tile(hello, 1 + 40 * 16000 // len(hello)), 16000
    )  # the longest, so the first: several windows
    paths[6].write_bytes(b"x" * paths[6].stat().st_size)
    options, together = BatchOptions(seed=3, subtype="FLOAT"), []
    convert_files = batching.convert_files
    monkeypatch.setattr(
        batching,
        "convert_files",
        lambda files, progress: together.append(len(files)) or convert_files(files, progress),
    )
    one = convert_folder(tmp_path / "talks", [GOODBYE], tmp_path / "one", options, swapper=tiny)
    four = convert_folder(
        tmp_path / "talks", [GOODBYE], tmp_path / "four", options, swapper=batching
    )
    assert together == [4, 4, 3]
    for result in (one, four):
        (broken,) = result.failures
        assert broken.source == str(paths[6]) and broken.error.startswith(
            f"{paths[6]} can't be read as audio"
        )
    alone, batched = outputs(tmp_path / "one"), outputs(tmp_path / "four")
    assert len(alone) == 10 and alone.keys() == batched.keys()
    for name, path in alone.items():
        assert unlike(soundfile.read(batched[name])[0], soundfile.read(path)[0]) < 1e-6

    def out_of_memory(files, progress):
        if len(files) > 1:
            raise RuntimeError("out of memory")
        return convert_files(files, progress)

    monkeypatch.setattr(batching, "convert_files", out_of_memory)
    again = convert_folder(
        tmp_path / "talks", [GOODBYE], tmp_path / "again", options, swapper=batching
    )
    assert (
        again.counts() == {Status.CONVERTED: 10, Status.FAILED: 1}
        and next(again.failures).error == broken.error
    )


def test_what_it_did_not_make_is_not_replaced(tmp_path, tiny, hello):
    first, second, third = write_talks(tmp_path / "talks", 3, hello)
    out = tmp_path / "out"
    (out / "day 0").mkdir(parents=True)
    (out / "day 0/talk-0000.wav").write_text("mine")
    result = convert_folder(tmp_path / "talks", [GOODBYE], out, swapper=tiny)
    assert result.exit_status == 1 and "in the way" in next(result.failures).error
    assert (out / "day 0/talk-0000.wav").read_text() == "mine"
    (out / "day 0/talk-0001.wav").write_text("mine too")
    os.utime(out / "day 0/talk-0002.wav")  # touched: still the command's own
    statuses = [
        row.status for row in convert_folder(tmp_path / "talks", [GOODBYE], out, swapper=tiny).rows
    ]
    assert (
        statuses == [Status.FAILED, Status.FAILED, Status.ALREADY]
        and (out / "day 0/talk-0001.wav").read_text() == "mine too"
    )
    planned = convert_folder(
        tmp_path / "talks", [GOODBYE], out, swapper=tiny, overwrite=True, dry_run=True
    )
    assert [row.status for row in planned.rows] == [
        Status.TO_CONVERT,
        Status.TO_CONVERT,
        Status.TO_REDO,
    ]
    assert (out / "day 0/talk-0000.wav").read_text() == "mine"
    assert (
        convert_folder(tmp_path / "talks", [GOODBYE], out, swapper=tiny, overwrite=True).exit_status
        == 0
    )
    assert all(whole(out / "day 0" / path.name, path) for path in (first, second, third))
    result = convert_folder(first, [GOODBYE], first.parent, swapper=tiny, overwrite=True)
    assert (
        result.exit_status == 2
        and "is the input itself" in next(result.failures).error
        and whole(first, first)
    )
    (tmp_path / "elsewhere").mkdir()
    for path in out.glob("day 0/*"):
        path.unlink()
    (out / "day 0").rmdir()
    (out / "day 0").symlink_to(tmp_path / "elsewhere")
    result = convert_folder(tmp_path / "talks", [GOODBYE], out, swapper=tiny)
    assert result.exit_status == 2 and "outside the output folder" in next(result.failures).error
    assert not list((tmp_path / "elsewhere").iterdir())


def test_other_options_voices_and_models_are_done_anew_and_torn_lines_are_left(
    tmp_path, tiny, hello
):
    paths = write_talks(tmp_path / "talks", 2, hello)
    out, voice = tmp_path / "out", tmp_path / "voice.flac"
    voice.write_bytes(GOODBYE.read_bytes())

    def converted(**options) -> int:
        result = convert_folder(paths, [voice], out, BatchOptions(**options), swapper=tiny)
        assert result.exit_status == 0
        return result.counts()[Status.CONVERTED]

    assert [converted(), converted(), converted(pitch_shift=2), converted(pitch_shift=2), converted()] == [
        2,
        0,
        2,
        0,
        2,
    ]
    os.utime(voice, (1, 1))
    assert [converted(), converted()] == [2, 0]
    with open(out / "journal.jsonl", "a") as file:
        file.write('{"output": "talk-0000.wav", "sha')
    os.utime(paths[0], (1, 1))
    assert [converted(), converted()] == [1, 0]


def test_fail_fast_dry_run_progress_and_nothing_to_do(tmp_path, tiny, hello):
    paths = write_talks(tmp_path / "talks", 5, hello)
    planned = convert_folder(
        tmp_path / "talks", [GOODBYE], tmp_path / "out", swapper=tiny, dry_run=True
    )
    assert [row.status for row in planned.rows] == [Status.TO_CONVERT] * 5 and not (
        tmp_path / "out"
    ).exists()
    paths[2].write_bytes(b"not audio" * 10_000)  # the largest, so the first
    heard = []
    result = convert_folder(
        tmp_path / "talks",
        [GOODBYE],
        tmp_path / "out",
        swapper=tiny,
        fail_fast=True,
        progress=heard.append,
    )
    assert result.counts() == {Status.FAILED: 1, Status.NOT_REACHED: 4} and result.exit_status == 2
    result = convert_folder(
        tmp_path / "talks", [GOODBYE], tmp_path / "out", swapper=tiny, progress=heard.append
    )
    assert result.exit_status == 1 and result.counts()[Status.NOT_REACHED] == 0
    assert (
        heard[-1].done == heard[-1].files == 5
        and heard[-1].share == 1.0
        and heard[-1].failed == 1
        and heard[-1].times_real_time > 0
    )

    def cancel(progress):
        raise InterruptedError("enough")

    os.utime(paths[0], (1, 1))
    with pytest.raises(InterruptedError, match="enough"):
        convert_folder(
            tmp_path / "talks", [GOODBYE], tmp_path / "out", swapper=tiny, progress=cancel
        )
    assert [path.name for path in (tmp_path / "out" / WORK_FOLDER).iterdir()] == ["lock"]
    (tmp_path / "empty").mkdir()
    for inputs, targets, sentence in (
        (tmp_path / "empty", [GOODBYE], "no audio file"),
        (tmp_path / "talks", ["nobody.wav"], "nobody.wav does not exist"),
        (tmp_path / "talks", [], "at least one --target"),
    ):
        with pytest.raises(VoiceswapError, match=sentence):
            convert_folder(inputs, targets, tmp_path / "other", swapper=tiny)
    assert not (tmp_path / "other").exists()
    with only_run(tmp_path / "out"), pytest.raises(VoiceswapError, match="Another run"):
        convert_folder(tmp_path / "talks", [GOODBYE], tmp_path / "out", swapper=tiny)


SOUNDS = {
    "speech": lambda n, hello: np.resize(hello, n),
    "silence": lambda n, hello: np.zeros(n),
    "offset": lambda n, hello: np.full(n, 0.7),
    "speech on an offset": lambda n, hello: 0.5 + 0.3 * np.resize(hello, n),
    "clipped": lambda n, hello: np.clip(30 * np.resize(hello, n), -1, 1),
    "over full scale": lambda n, hello: 20 * np.resize(hello, n),
    "impulse": lambda n, hello: (np.arange(n) == n // 2).astype(float),
    "noise": lambda n, hello: np.random.default_rng(0).normal(0, 0.3, n),
    "nan": lambda n, hello: np.where(np.arange(n) == n // 3, np.nan, np.resize(hello, n)),
    "infinite": lambda n, hello: np.where(np.arange(n) == n // 3, np.inf, np.resize(hello, n)),
}


@settings(deadline=None, max_examples=60 if FULL else 25)
@given(
    seconds=st.one_of(
        st.just(0.0), st.floats(0.0, 1.0), st.floats(0.3, 20.0), st.floats(0.3, 120.0)
    ),
    rate=st.one_of(
        st.sampled_from([4000, 8000, 16000, 22050, 44100, 48000, 96000, 192000]),
        st.integers(4000, 192000),
    ),
    channels=st.integers(1, 8),
    sound=st.sampled_from(sorted(SOUNDS)),
    subtype=st.sampled_from(["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]),
)
def test_any_sound_is_converted_or_refused_in_one_sentence(
    tmp_path_factory, tiny, hello, seconds, rate, channels, sound, subtype
):
    folder = tmp_path_factory.mktemp("sound")
    frames = min(int(seconds * rate), 4_000_000 // channels)  # a larger file is only slower
    wave = SOUNDS[sound](frames, hello)
    soundfile.write(folder / "in.wav", np.stack([wave] * channels, 1), rate, subtype)
    result = convert_folder(folder / "in.wav", [GOODBYE], folder / "out", swapper=tiny)
    (row,) = result.rows
    whole_numbers = subtype not in ("FLOAT", "DOUBLE")
    refused = (
        frames < 0.3 * rate
        or sound in ("silence", "offset")
        or (sound in ("nan", "infinite") and not whole_numbers)
    )
    if refused:
        assert (
            row.status is Status.FAILED
            and len(row.error.splitlines()) == 1
            and row.error.endswith(".")
            and "Error" not in row.error
        )
        assert not outputs(folder / "out")
    elif (
        row.status is Status.FAILED
    ):  # what whole numbers make of NaN, or 8 bits of little, may be silence
        assert "silent" in row.error or "NaN" in row.error
    else:
        out, out_rate = soundfile.read(folder / "out/in.wav", always_2d=True)
        assert (
            out_rate == rate
            and out.shape[1] == 1
            and np.isfinite(out).all()
            and abs(len(out) - frames) <= 1 + rate / 16000
        )
    assert outputs(folder / "out").keys() <= {"in.wav"}
