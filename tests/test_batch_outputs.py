"""The outputs of a batch: formats, batch sizes, and which files are kept or converted again."""

import os

import numpy as np
import pytest
import soundfile
import torch
from sounds import relative_difference
from talks import fill_disk_after_one, outputs, whole, write_talks

from voiceswap import VoiceswapError, VoiceSwapper
from voiceswap.batch import BatchOptions, Status, convert_folder
from voiceswap.batch.lock import only_run
from voiceswap.batch.names import WORK_FOLDER
from voiceswap.commands.batch import GO_ON, _print_result
from voiceswap.examples import GOODBYE


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
def test_outputs_have_their_inputs_format(tmp_path, tiny, hello, name, rate, subtype, written):
    format = {"opus": "OGG", "aiff": "AIFF"}.get(name[2:], name[2:].upper())
    channels = [hello[: int(0.5 * rate)]] * (1 if name == "a.voc" else 2)
    soundfile.write(tmp_path / name, np.stack(channels, 1), rate, subtype, format=format)
    result = convert_folder(tmp_path / name, [GOODBYE], tmp_path / "out", swapper=tiny)
    assert result.exit_status == 0, list(result.failures)
    info = soundfile.info(tmp_path / "out" / result.rows[0].output)
    assert (info.format, info.subtype, info.channels) == (written[0], written[2], 1)
    assert written[1] is None or info.samplerate == written[1]
    assert abs(info.duration - soundfile.info(tmp_path / name).duration) < 0.1


def test_formats_that_cant_hold_the_inputs_rate_or_subtype(tmp_path, tiny, hello):
    soundfile.write(tmp_path / "a.wav", hello, 96000, "FLOAT")
    for format, rate, subtype in (
        ("flac", 96000, "PCM_24"),
        ("mp3", 48000, "MPEG_LAYER_III"),
        ("opus", 48000, "OPUS"),
    ):
        options = BatchOptions(format=format)
        result = convert_folder(
            tmp_path / "a.wav", [GOODBYE], tmp_path / "out", options, swapper=tiny
        )
        info = soundfile.info(tmp_path / "out" / result.rows[0].output)
        assert (info.samplerate, info.subtype) == (rate, subtype)
    for options, sentence in (
        (BatchOptions(format="mp3", rate=96000), "mp3 can't hold 96000 Hz; it takes 8000"),
        (BatchOptions(format="flac", subtype="FLOAT"), "flac has no subtype FLOAT; it has PCM_S8"),
    ):
        result = convert_folder(
            tmp_path / "a.wav", [GOODBYE], tmp_path / "out", options, swapper=tiny, overwrite=True
        )
        assert result.exit_status == 2 and sentence in result.rows[0].error
    with pytest.raises(VoiceswapError, match="format 'wma' can't be written"):
        BatchOptions(format="wma")


@pytest.fixture
def batching(model) -> VoiceSwapper:
    """A model that converts four files at once, as on a GPU."""
    return VoiceSwapper.load(model, "cpu", batch_size=4)


def test_files_converted_together_equal_those_converted_alone(
    tmp_path, tiny, batching, hello, monkeypatch
):
    paths = write_talks(tmp_path / "talks", 11, hello)
    # The longest file is converted first; it has several windows.
    soundfile.write(paths[10], np.tile(hello, 1 + 40 * 16000 // len(hello)), 16000)
    paths[6].write_bytes(b"x" * paths[6].stat().st_size)
    options, together = BatchOptions(seed=3, subtype="FLOAT"), []
    convert_files = batching.convert_files

    def counted(files, progress):
        together.append(len(files))
        return convert_files(files, progress)

    monkeypatch.setattr(batching, "convert_files", counted)
    one = convert_folder(tmp_path / "talks", [GOODBYE], tmp_path / "one", options, swapper=tiny)
    four = convert_folder(
        tmp_path / "talks", [GOODBYE], tmp_path / "four", options, swapper=batching
    )
    assert together == [4, 4, 3]
    for result in (one, four):
        (broken,) = result.failures
        assert broken.source == str(paths[6])
        assert broken.error.startswith(f"{paths[6]} can't be read as audio")
    alone, batched = outputs(tmp_path / "one"), outputs(tmp_path / "four")
    assert len(alone) == 10 and alone.keys() == batched.keys()
    for name, path in alone.items():
        assert relative_difference(soundfile.read(batched[name])[0], soundfile.read(path)[0]) < 1e-6

    def out_of_memory(files, progress):
        if len(files) > 1:
            raise RuntimeError("out of memory")
        return convert_files(files, progress)

    monkeypatch.setattr(batching, "convert_files", out_of_memory)
    again = convert_folder(
        tmp_path / "talks", [GOODBYE], tmp_path / "again", options, swapper=batching
    )
    assert again.counts() == {Status.CONVERTED: 10, Status.FAILED: 1}
    assert next(again.failures).error == broken.error


def test_conversions_of_other_sources_are_not_replaced(tmp_path, tiny, hello):
    (monday,) = write_talks(tmp_path / "monday", 1, hello)
    (tuesday,) = write_talks(tmp_path / "tuesday", 1, hello[::-1])
    made, options = tmp_path / "out" / "day 0" / monday.name, {"swapper": tiny}
    convert_folder(monday.parents[1], [GOODBYE], tmp_path / "out", **options)
    before = made.read_bytes()
    (row,) = convert_folder(tuesday.parents[1], [GOODBYE], tmp_path / "out", **options).rows
    assert row.status is Status.FAILED and made.read_bytes() == before
    assert f"is the conversion of {monday}; give another --out" in row.error
    options["overwrite"] = True
    report = convert_folder(tuesday.parents[1], [GOODBYE], tmp_path / "out", **options)
    assert report.rows[0].status is Status.CONVERTED and made.read_bytes() != before
    with pytest.raises(VoiceswapError, match=r"\*\.flac matches no recording"):
        convert_folder(
            [monday, str(tmp_path / "*.flac")], [GOODBYE], tmp_path / "other", swapper=tiny
        )


def test_conversions_of_other_urls_are_not_replaced(tmp_path, tiny, hello):
    (monday,) = write_talks(tmp_path / "monday", 1, hello)
    (tuesday,) = write_talks(tmp_path / "tuesday", 1, hello[::-1])
    made, options = tmp_path / "out" / monday.name, {"swapper": tiny}
    for _ in range(2):  # the same one again is no other one
        report = convert_folder(f"file://{monday}", [GOODBYE], tmp_path / "out", **options)
        assert list(report.failures) == []
    before = made.read_bytes()
    (row,) = convert_folder(f"file://{tuesday}", [GOODBYE], tmp_path / "out", **options).rows
    assert row.status is Status.FAILED and made.read_bytes() == before
    assert "give another --out" in row.error


def test_files_that_no_run_wrote_are_not_replaced(tmp_path, tiny, hello):
    first, second, third = write_talks(tmp_path / "talks", 3, hello)
    out = tmp_path / "out"
    (out / "day 0").mkdir(parents=True)
    (out / "day 0/talk-0000.wav").write_text("mine")
    result = convert_folder(tmp_path / "talks", [GOODBYE], out, swapper=tiny)
    assert result.exit_status == 1 and "in the way" in next(result.failures).error
    assert (out / "day 0/talk-0000.wav").read_text() == "mine"
    (out / "day 0/talk-0001.wav").write_text("mine too")
    os.utime(out / "day 0/talk-0002.wav")  # only touched: it has the content that a run wrote
    result = convert_folder(tmp_path / "talks", [GOODBYE], out, swapper=tiny)
    statuses = [row.status for row in result.rows]
    assert statuses == [Status.FAILED, Status.FAILED, Status.ALREADY]
    assert (out / "day 0/talk-0001.wav").read_text() == "mine too"
    planned = convert_folder(
        tmp_path / "talks", [GOODBYE], out, swapper=tiny, overwrite=True, dry_run=True
    )
    statuses = [row.status for row in planned.rows]
    assert statuses == [Status.TO_CONVERT, Status.TO_CONVERT, Status.TO_REDO]
    assert (out / "day 0/talk-0000.wav").read_text() == "mine"
    result = convert_folder(tmp_path / "talks", [GOODBYE], out, swapper=tiny, overwrite=True)
    assert result.exit_status == 0
    assert all(whole(out / "day 0" / path.name, path) for path in (first, second, third))
    result = convert_folder(first, [GOODBYE], first.parent, swapper=tiny, overwrite=True)
    assert result.exit_status == 2 and "is the input itself" in next(result.failures).error
    assert whole(first, first)
    (tmp_path / "elsewhere").mkdir()
    for path in out.glob("day 0/*"):
        path.unlink()
    (out / "day 0").rmdir()
    (out / "day 0").symlink_to(tmp_path / "elsewhere")
    result = convert_folder(tmp_path / "talks", [GOODBYE], out, swapper=tiny)
    assert result.exit_status == 2 and "outside the output folder" in next(result.failures).error
    assert not list((tmp_path / "elsewhere").iterdir())


def test_changed_options_voices_and_inputs_are_converted_again_and_torn_lines_skipped(
    tmp_path, tiny, hello
):
    paths = write_talks(tmp_path / "talks", 2, hello)
    out, voice = tmp_path / "out", tmp_path / "voice.flac"
    voice.write_bytes(GOODBYE.read_bytes())

    def converted(**options) -> int:
        result = convert_folder(paths, [voice], out, BatchOptions(**options), swapper=tiny)
        assert result.exit_status == 0
        return result.counts()[Status.CONVERTED]

    assert [converted(), converted()] == [2, 0]
    assert [converted(pitch_shift=2), converted(pitch_shift=2), converted()] == [2, 0, 2]
    os.utime(voice, (1, 1))
    assert [converted(), converted()] == [2, 0]
    with open(out / "journal.jsonl", "a") as file:
        file.write('{"output": "talk-0000.wav", "sha')
    os.utime(paths[0], (1, 1))
    assert [converted(), converted()] == [1, 0]


def test_a_loaded_model_with_another_part_or_precision_converts_again(
    tmp_path, model, hello, monkeypatch
):
    paths, out = write_talks(tmp_path / "talks", 1, hello), tmp_path / "out"
    loaded = VoiceSwapper.load(model, "cpu")
    convert_folder(paths, [GOODBYE], out, swapper=loaded)

    def planned(swapper) -> Status:
        return convert_folder(paths, [GOODBYE], out, swapper=swapper, dry_run=True).rows[0].status

    assert planned(VoiceSwapper.load(model, "cpu")) is Status.ALREADY
    assert planned(VoiceSwapper.load(model, "cpu", precision="fp32")) is Status.TO_REDO
    for part, other in (
        ("vocoder", None),
        ("streaming", torch.nn.Linear(1, 1)),
        ("front_end_adapter", torch.nn.Linear(1, 1)),
        ("denoiser", torch.nn.Linear(1, 1)),
        ("usual_log_variance", -3.0),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(loaded.engine, part, other)
            assert planned(loaded) is Status.TO_REDO, part
    assert planned(loaded) is Status.ALREADY


def test_fail_fast_dry_run_progress_and_nothing_to_do(tmp_path, tiny, hello):
    paths = write_talks(tmp_path / "talks", 5, hello)
    planned = convert_folder(  # with one target in place of a list
        tmp_path / "talks", str(GOODBYE), tmp_path / "out", swapper=tiny, dry_run=True
    )
    assert [row.status for row in planned.rows] == [Status.TO_CONVERT] * 5
    assert not (tmp_path / "out").exists()
    paths[2].write_bytes(b"not audio" * 10_000)  # the largest, so it is converted first
    updates = []
    result = convert_folder(
        tmp_path / "talks",
        [GOODBYE],
        tmp_path / "out",
        swapper=tiny,
        fail_fast=True,
        progress=updates.append,
    )
    assert result.counts() == {Status.FAILED: 1, Status.NOT_REACHED: 4} and result.exit_status == 2
    result = convert_folder(
        tmp_path / "talks", [GOODBYE], tmp_path / "out", swapper=tiny, progress=updates.append
    )
    assert result.exit_status == 1 and result.counts()[Status.NOT_REACHED] == 0
    last = updates[-1]
    assert last.done == last.files == 5 and last.share == 1.0
    assert last.failed == 1 and last.times_real_time > 0

    (tmp_path / "empty").mkdir()
    for inputs, targets, sentence in (
        (tmp_path / "empty", [GOODBYE], "no audio file"),
        (tmp_path / "talks", ["missing.wav"], "missing.wav does not exist"),
        (tmp_path / "talks", [], "at least one --target"),
        (tmp_path / "talks", [[]], "holds no recording"),
    ):
        with pytest.raises(VoiceswapError, match=sentence):
            convert_folder(inputs, targets, tmp_path / "other", swapper=tiny)
    assert not (tmp_path / "other").exists()
    with only_run(tmp_path / "out"), pytest.raises(VoiceswapError, match="Another run"):
        convert_folder(tmp_path / "talks", [GOODBYE], tmp_path / "out", swapper=tiny)


@pytest.mark.parametrize("error", [InterruptedError("enough"), VoiceswapError("enough")])
def test_an_error_of_the_callback_ends_the_run_and_keeps_what_is_done(tmp_path, tiny, hello, error):
    write_talks(tmp_path / "talks", 3, hello)

    def cancel(progress):
        if progress.done:
            raise error

    with pytest.raises(type(error), match=r"^enough$"):
        convert_folder(
            tmp_path / "talks", [GOODBYE], tmp_path / "out", swapper=tiny, progress=cancel
        )
    assert [path.name for path in (tmp_path / "out" / WORK_FOLDER).iterdir()] == ["lock"]
    assert len(outputs(tmp_path / "out")) == 1


def test_a_full_disk_ends_the_run_and_the_command_has_the_way_out(
    tmp_path, tiny, hello, monkeypatch, capsys
):
    write_talks(tmp_path / "talks", 3, hello)
    fill_disk_after_one(monkeypatch)
    report = convert_folder(tmp_path / "talks", [GOODBYE], tmp_path / "out", swapper=tiny)
    assert report.stopped == "The disk is full; make room." and report.exit_status == 1
    assert report.counts() == {Status.CONVERTED: 1, Status.NOT_REACHED: 2}
    _print_result(report)
    assert f"The disk is full; make room. {GO_ON}" in " ".join(capsys.readouterr().err.split())
