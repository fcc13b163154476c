"""Cached features belong to the cut and the recording that they were made of."""

import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from commands import refusal
from lhotse import CutSet
from lhotse.utils import fastcopy
from safetensors import safe_open
from training_runs import config

from voiceswap.errors import DataError
from voiceswap.features import AudioConfig
from voiceswap.training.corpora import virtual_voice
from voiceswap.training.data import SpeechData


@pytest.fixture
def cut(corpus, tmp_path):
    """A cut of a recording that the test may change."""
    (cut, *_) = CutSet.from_file(corpus / "manifests/speakers-train.jsonl.gz")
    recording = tmp_path / "recording.flac"
    shutil.copy(cut.recording.sources[0].source, recording)
    cut.recording.sources[0].source = str(recording)
    return cut


def prepared(tmp_path, *cuts):
    """The data module of a manifest of cuts, with all that can be used in the cache."""
    path = tmp_path / "some-train.jsonl.gz"
    CutSet.from_cuts(cuts).to_file(path)
    return prepared_from(path, tmp_path)


def prepared_from(path, tmp_path, **settings):
    quick = {"front_end": "mel", "views": 1, "seconds": 0.5, "reference_seconds": 0.5, "jobs": 1}
    data = SpeechData([path], [], tmp_path / "cache", AudioConfig(), **quick, **settings)
    data.prepare_data()
    return data


def trained_on(data) -> dict[str, float]:
    """Seconds of the features of every cut that training draws from, by cut id."""
    seconds = {}
    for cut, path in data.train_dataloader().dataset.files.items():
        with safe_open(path, "pt") as file:
            seconds[cut] = file.get_slice("mel").get_shape()[1] / 100
    return seconds


def test_features_are_those_of_the_cut_and_the_recording_as_they_are(cut, tmp_path):
    data = prepared(tmp_path, cut)
    folder, path = data.cache.folder, data.cache.path(cut)
    assert [*folder.iterdir()] == [path]
    before = path.stat().st_mtime_ns
    prepared(tmp_path, cut)  # nothing has changed
    assert [*folder.iterdir()] == [path] and path.stat().st_mtime_ns == before
    shorter = fastcopy(cut, start=0.5, duration=cut.duration - 1)  # under the same id
    assert trained_on(prepared(tmp_path, shorter))[cut.id] == pytest.approx(
        cut.duration - 1, abs=0.02
    )
    assert data.cache.path(virtual_voice(cut, [1.1])) != data.cache.path(cut) == path
    recording = cut.recording.sources[0].source
    for modified in (1, 2_000_000_000):  # a copy may be older
        os.utime(recording, (modified, modified))
        assert not data.cache.holds(cut)
        prepared(tmp_path, cut)
        assert data.cache.holds(cut)


def test_features_of_shards_are_found_again_and_are_not_those_of_others(cut, tmp_path):
    shorter = fastcopy(cut, start=0.5, duration=cut.duration - 1)
    for name, one in (("whole", cut), ("shorter", shorter)):
        (tmp_path / name).mkdir()
        CutSet.from_cuts([one]).to_shar(tmp_path / name, {"recording": "flac"})
        data = prepared_from(tmp_path / name, tmp_path, speeds=[1.1])
        made = {path.stat().st_mtime_ns for path in data.cache.folder.iterdir()}
        again = prepared_from(tmp_path / name, tmp_path, speeds=[1.1])
        assert {path.stat().st_mtime_ns for path in data.cache.folder.iterdir()} == made
        lengths = sorted(trained_on(again).values())
        assert lengths == pytest.approx([one.duration / 1.1, one.duration], abs=0.02)


def test_what_can_not_be_used_any_more_is_left_out_and_told(cut, tmp_path, caplog):
    other = fastcopy(cut, id="other")
    other.recording = fastcopy(
        cut.recording, sources=[fastcopy(cut.recording.sources[0], source=str(tmp_path / "o.flac"))]
    )
    first, second = (Path(item.recording.sources[0].source) for item in (cut, other))
    shutil.copy(first, second)
    assert set(trained_on(prepared(tmp_path, cut, other))) == {cut.id, "other"}
    whole, silent = first.read_bytes(), np.zeros(cut.recording.num_samples)
    for spoil, reason in (
        (lambda: soundfile.write(first, silent, cut.sampling_rate), "is silent"),
        (lambda: first.write_bytes(whole[: len(whole) // 2]), "read as its manifest has it"),
        (lambda: first.write_bytes(b"fLaC or so"), "read as its manifest has it"),
        (first.unlink, f"{first} is missing; make the manifest again"),
    ):
        spoil()
        with caplog.at_level(logging.WARNING):
            assert set(trained_on(prepared(tmp_path, cut, other))) == {"other"}
        (line,) = caplog.messages
        assert line.startswith(f"Left out {cut.id}: ") and reason in line and "\n" not in line
        caplog.clear()
    second.unlink()
    with pytest.raises(DataError, match=r"No recording for train can be used: .* is missing; make"):
        prepared(tmp_path, cut, other)


def test_a_manifest_given_twice_is_refused(corpus, tmp_path, monkeypatch, capsys):
    manifest = str(corpus / "manifests/speakers-train.jsonl.gz")
    path = config(corpus, tmp_path, 2, data={"train": [manifest, manifest]})
    sentence = refusal(monkeypatch, capsys, "train", "autoencoder", "--config", path)
    assert "data.train has two cuts speakers-" in sentence and "give each manifest once" in sentence
