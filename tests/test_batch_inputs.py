"""The inputs of a batch: targets, manifests, folders, globs, names, URLs."""

import json
import os
import threading
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from talks import outputs, write_talks

from voiceswap import VoiceswapError, VoiceSwapper
from voiceswap.batch import BatchOptions, Status, convert_folder
from voiceswap.batch.inputs import Job
from voiceswap.batch.names import WORK_FOLDER, name_outputs
from voiceswap.batch.storage import FileSignature
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.models.checkpoint import Checkpoint


def test_several_targets_and_a_saved_voice(tmp_path, tiny, hello):
    write_talks(tmp_path / "talks", 3, hello)
    saved = tiny.save_voice(tiny.embed(HELLO), tmp_path / "anna.safetensors")
    result = convert_folder(
        tmp_path / "talks",
        [GOODBYE, saved, [HELLO, GOODBYE]],
        tmp_path / "out",
        BatchOptions(format="flac"),
        swapper=tiny,
    )
    assert result.exit_status == 0
    assert set(outputs(tmp_path / "out")) == {
        f"{voice}/day 0/talk-000{i}.flac"
        for voice in ("goodbye", "anna", "hello")
        for i in range(3)
    }


def test_every_line_of_a_manifest_has_its_own_options_and_errors(tmp_path, tiny, hello):
    write_talks(tmp_path / "talks", 4, hello)
    tiny.save_voice(tiny.embed(HELLO), tmp_path / "anna.safetensors")
    lines = [
        {
            "source": "talks/day 0/talk-0000.wav",
            "target": [str(HELLO), str(GOODBYE)],
            "output": "x/first.flac",
            "pitch": 3,
            "seed": 1.0,
        },
        {
            "source": "talks/day 0/talk-0001.wav",
            "target": "anna.safetensors",
            "output": "second.by.anna",
        },
        {
            "source": "talks/day 0/talk-0002.wav",
            "target": str(GOODBYE),
            "strength": "0.5",
            "format": "aiff",
        },
        {"source": "talks/day 0/talk-0003.wav", "output": "../../stolen.wav"},
        {"source": "talks/day 0/talk-0003.wav", "output": "fine.wav", "pitch": "high"},
        {"source": "talks/missing.wav"},
        {"source": ""},
        {"source": "talks/day 0/talk-0003.wav", "target": ["anna.safetensors", "bella.wav"]},
    ]
    (tmp_path / "m.jsonl").write_text("\n".join(map(json.dumps, lines)))
    result = convert_folder(tmp_path / "m.jsonl", [GOODBYE], tmp_path / "out", swapper=tiny)
    assert set(outputs(tmp_path / "out")) == {
        "x/first.flac",
        "second.by.anna.wav",
        "talk-0002.aiff",
    }
    assert not (tmp_path.parent / "stolen.wav").exists()
    messages = (
        "4: '../../stolen.wav' is no name inside",
        "5: pitch is 'high'",
        f"6: {tmp_path / 'talks/missing.wav'} does not exist.",
        "7: there is no source",
        f"8: {tmp_path / 'bella.wav'} does not exist.",
    )
    for row, message in zip(result.failures, messages, strict=True):
        assert row.error.startswith(f"{tmp_path / 'm.jsonl'}, line {message}")
    expected = tiny.convert(
        tmp_path / "talks/day 0/talk-0000.wav", [HELLO, GOODBYE], pitch_shift=3, seed=1
    )
    samples, _ = soundfile.read(tmp_path / "out/x/first.flac")
    np.testing.assert_allclose(samples, expected, atol=1e-4)

    table = tmp_path / "m.csv"
    table.write_text(
        f"source,target,output\ntalks/day 0/talk-0000.wav,{HELLO}; {GOODBYE},x/again\n",
        encoding="utf-8-sig",
    )
    assert convert_folder(table, [], tmp_path / "out", swapper=tiny).exit_status == 0
    assert "x/again.wav" in outputs(tmp_path / "out")
    for text, sentence in (
        ("source,voice\na,b\n", "column 'voice'"),
        ("output\na\n", "no column 'source'"),
        ("source\na.wav\n", "at least one --target"),
    ):
        table.write_text(text)
        if "target" in sentence:
            result = convert_folder(table, [], tmp_path / "other", swapper=tiny)
            assert sentence in next(result.failures).error
        else:
            with pytest.raises(VoiceswapError, match=sentence):
                convert_folder(table, [], tmp_path / "other", swapper=tiny)


def test_outputs_are_not_inputs_and_globs_keep_folders(tmp_path, tiny, hello, monkeypatch):
    write_talks(tmp_path / "talks", 51, hello)
    (tmp_path / "talks/day 1/again").symlink_to(tmp_path / "talks")
    (tmp_path / "talks/day 1/._talk.wav").write_text("metadata of macOS")
    out = tmp_path / "talks/converted"
    assert len(convert_folder(tmp_path / "talks/day 1", [GOODBYE], out, swapper=tiny).rows) == 51
    result = convert_folder(tmp_path / "talks", [GOODBYE], out, swapper=tiny, dry_run=True)
    assert len(result.rows) == 51
    monkeypatch.chdir(tmp_path)
    result = convert_folder("talks/**/*-005*.wav", [GOODBYE], out, swapper=tiny, dry_run=True)
    assert [row.output for row in result.rows] == ["day 1/talk-0050.wav"]


@given(
    st.lists(
        st.text(st.characters(codec="utf-8") | st.sampled_from("/\\.: "), max_size=12), max_size=6
    )
)
def test_names_stay_inside_and_distinct(names):
    jobs = [
        Job(f"/{i}", FileSignature(1, "1"), (), name, BatchOptions())
        for i, name in enumerate(names)
    ]
    out = Path("/somewhere/out")
    named = name_outputs(jobs)
    assert len(named) == len(jobs) and named == name_outputs(jobs)
    good = [job.output for job in named if job.error is None]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in good}) == len(good)
    for name in good:
        path = Path(os.path.normpath(out / name))
        assert path.is_relative_to(out) and path != out
        assert Path(name).parts[0] != WORK_FOLDER
    assert all(
        job.error
        for job, name in zip(named, names, strict=True)
        if ".." in Path(name).parts or name.startswith("/")
    )


def test_inputs_on_file_systems_of_fsspec(tmp_path, tiny, hello):
    fsspec = pytest.importorskip("fsspec")
    paths = write_talks(tmp_path / "talks", 3, hello)
    store = fsspec.filesystem("memory")
    for path in paths:
        store.pipe(f"/bucket/talks/{path.relative_to(tmp_path / 'talks')}", path.read_bytes())
    store.pipe("/bucket/voice.flac", GOODBYE.read_bytes())
    store.pipe("/bucket/talks/broken.wav", b"no")
    store.pipe("/bucket/list.csv", b"source,output\ntalks/day 0/talk-0001.wav,listed\n")
    convert_folder(tmp_path / "talks", [GOODBYE], tmp_path / "local", swapper=tiny)
    result = convert_folder(
        "memory://bucket/talks", ["memory://bucket/voice.flac"], tmp_path / "remote", swapper=tiny
    )
    (broken,) = result.failures
    assert broken.error.startswith("memory:///bucket/talks/broken.wav can't be read as audio")
    local, remote = outputs(tmp_path / "local"), outputs(tmp_path / "remote")
    assert local.keys() == remote.keys()
    assert all(remote[name].read_bytes() == path.read_bytes() for name, path in local.items())
    again = convert_folder(
        "memory://bucket/talks/**/*.wav",
        ["memory://bucket/voice.flac"],
        tmp_path / "remote",
        swapper=tiny,
    )
    assert again.counts()[Status.ALREADY] == 3
    convert_folder(
        "memory://bucket/list.csv",
        ["memory://bucket/voice.flac"],
        tmp_path / "remote",
        swapper=tiny,
    )
    listed = outputs(tmp_path / "remote")["listed.wav"]
    assert listed.read_bytes() == local["day 0/talk-0001.wav"].read_bytes()
    for url, sentence in (
        ("memory://bucket/none", "does not exist"),
        ("parrot://x/y.wav", "can't be opened"),
        ("s4://x", "can't be opened"),
    ):
        with pytest.raises(VoiceswapError, match=sentence):
            result = convert_folder(url, [GOODBYE], tmp_path / "other", swapper=tiny)
            raise VoiceswapError(next(result.failures).error)


def test_errors_and_notes_name_urls_and_their_own_recordings(tmp_path, tiny, hello):
    fsspec = pytest.importorskip("fsspec")
    soundfile.write(tmp_path / "side.wav", np.stack([hello, 0 * hello], 1), 16000)
    side, store = (tmp_path / "side.wav").read_bytes(), fsspec.filesystem("memory")
    store.pipe("/named/side.wav", side)
    store.pipe("/named/broken.wav", b"no")
    url = "memory:///named/side.wav"
    note = f"{url}: one channel is silent, so only the other one is used."
    # Its notes begin with the name of another recording.
    (tmp_path / "side.wav was cut.wav").write_bytes(side)
    lines = [
        f"{tmp_path / 'side.wav'},{url}",
        f"{tmp_path / 'side.wav was cut.wav'},{GOODBYE}",
        f"{url},memory://named/broken.wav",
    ]
    (tmp_path / "list.csv").write_text("\n".join(["source,target", *lines]))
    tiny = VoiceSwapper(Checkpoint(tiny.engine.autoencoder, tiny.engine.vocoder), "cpu", 4)
    result = convert_folder(tmp_path / "list.csv", [], tmp_path / "out", swapper=tiny)
    plain, other, broken = result.rows
    own = note.replace(url, plain.source)
    assert plain.notes == (own, note)
    assert other.notes == (own.replace(plain.source, other.source),)
    assert broken.error.startswith("memory://named/broken.wav can't be read as audio")
    result = convert_folder(url, [GOODBYE, HELLO], tmp_path / "both", swapper=tiny)
    assert [row.notes for row in result.rows] == [(note,), (note,)]


EXCEL = {
    "comma": ("utf-8-sig", "source,target,pitch\n{},{},2.5\n"),
    "semicolon, decimal comma": ("utf-8-sig", 'Source;Target;Pitch\r\n{};"{}";2,5\r\n;;\r\n'),
    "tabs in UTF-16": ("utf-16", "source\ttarget\tpitch\r\n{}\t{}\t2,5\r\n"),
    "Mandarin in GBK": ("gbk", "source,target,pitch,output\r\n{},{},2.5,播客：王喆（终稿）\r\n"),
    "its hint": ("utf-8", "sep=;\r\nsource;target;pitch\r\n{};{};2,5\r\n"),
}


@pytest.mark.parametrize("kind", EXCEL)
def test_manifests_as_excel_writes_them(tmp_path, tiny, kind):
    encoding, text = EXCEL[kind]
    (tmp_path / "sprüche.csv").write_bytes(text.format(HELLO, GOODBYE).encode(encoding))
    result = convert_folder(tmp_path / "sprüche.csv", [], tmp_path / "out", swapper=tiny)
    assert [row.status for row in result.rows] == [Status.CONVERTED]
    (line,) = map(json.loads, (tmp_path / "out/journal.jsonl").read_text().splitlines())
    other = convert_folder(
        HELLO, [GOODBYE], tmp_path / "again", BatchOptions(pitch_shift=2.5), swapper=tiny
    )
    (written,) = outputs(tmp_path / "out").values()
    (expected,) = outputs(tmp_path / "again").values()
    assert other.exit_status == 0 and line["output"] == written.name
    assert written.read_bytes() == expected.read_bytes()


pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")


@pipes
@pytest.mark.parametrize("text", ["source,target\n{},{}\n", '{{"source": "{}", "target": "{}"}}\n'])
def test_a_list_comes_through_a_pipe(tmp_path, tiny, monkeypatch, text):
    monkeypatch.chdir(HELLO.parent)
    os.mkfifo(tmp_path / "pipe")
    list_ = text.format(HELLO.name, GOODBYE.name)
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(list_,))
    writer.start()
    result = convert_folder(tmp_path / "pipe", [], tmp_path / "out", swapper=tiny)
    writer.join()
    assert [row.status for row in result.rows] == [Status.CONVERTED]


@pipes
def test_a_recording_through_a_pipe_is_a_sentence(tmp_path, tiny):
    os.mkfifo(tmp_path / "pipe")
    data = HELLO.read_bytes()
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(data,))
    writer.start()
    with pytest.raises(VoiceswapError, match="is a pipe, which has to give a list of files"):
        convert_folder(tmp_path / "pipe", [GOODBYE], tmp_path / "out", swapper=tiny)
    writer.join()


@pytest.mark.parametrize(("name", "encoding"), [("mädchen", "cp1252"), ("陳小明的節目", "big5")])
def test_a_manifest_in_another_encoding_says_how_to_save_it(tmp_path, tiny, name, encoding):
    (tmp_path / "list.csv").write_bytes(f"source\n{name}.wav\n".encode(encoding))
    with pytest.raises(VoiceswapError, match=r"not a text in UTF-8; .*CSV UTF-8\)\.$"):
        convert_folder(tmp_path / "list.csv", [GOODBYE], tmp_path / "out", swapper=tiny)


@pytest.mark.parametrize("inputs", ["talks", "talks/*.wav"])
def test_a_folder_is_not_read_and_written(tmp_path, tiny, hello, monkeypatch, inputs):
    monkeypatch.chdir(tmp_path)
    write_talks(tmp_path / "talks", 1, hello)
    with pytest.raises(VoiceswapError, match="give another folder as --out"):
        convert_folder(inputs, [GOODBYE], "talks", swapper=tiny)


def test_everything_that_looks_like_sound_is_a_row(tmp_path, tiny):
    names = ["a.amr", "b.MTS", "c.flv", "d.wv", "e.3g2", "f.opus", "loose.m4a", "anna/g.wma"]
    for name in names:
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"no sound")
    (tmp_path / "in/notes.txt").write_text("no sound")
    result = convert_folder(tmp_path / "in", [GOODBYE], tmp_path / "out", swapper=tiny)
    found = {Path(row.source).relative_to(tmp_path / "in").as_posix() for row in result.rows}
    assert found == set(names) and all(row.error for row in result.rows)
