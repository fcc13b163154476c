"""A tiny corpus, and segments of speech."""

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from data_prep.__main__ import app as data_prep_app
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.features import AudioConfig
from voiceswap.training.data import SpeechData


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    """Six speakers of two recordings each, and what training needs of them."""
    folder = tmp_path_factory.mktemp("corpus")
    for i in range(6):
        wave, rate = soundfile.read((HELLO, GOODBYE)[i % 2])
        for take, speed in enumerate((1.0, 1.06)):
            (folder / f"voices/speaker{i}").mkdir(parents=True, exist_ok=True)
            soundfile.write(
                folder / f"voices/speaker{i}/{take}.flac",
                wave,
                round(rate * speed * (0.9 + 0.04 * i)),
            )
    (folder / "voices/speaker0/broken.wav").write_bytes(b"nothing")
    result = CliRunner().invoke(
        data_prep_app,
        ["speakers", str(folder / "voices"), str(folder / "manifests"), "--keep-pauses"],
    )
    assert result.exit_code == 0, result.output
    assert "6 speakers, 12 recordings" in result.output and "1 left out" in result.output
    assert "broken.wav" in (folder / "manifests/speakers-left-out.txt").read_text()
    return folder


@pytest.fixture
def segments(hello, goodbye):
    """Sixteen segments of a second of two people, (16, 16000)."""
    starts = range(3200, 3200 + 8 * 2000, 2000)
    cut = [wave[first : first + 16000] for first in starts for wave in (hello, goodbye)]
    return torch.from_numpy(np.stack(cut))


@pytest.fixture(scope="session")
def data(corpus):
    manifest = [corpus / "manifests/speakers-train.jsonl.gz"]
    data = SpeechData(
        manifest,
        manifest,
        corpus / "cache",
        AudioConfig(),
        views=2,
        batch_size=4,
        seconds=1.0,
        reference_seconds=1.2,
        jobs=2,
    )
    data.prepare_data()
    return data
