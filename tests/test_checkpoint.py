import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from voiceswap.errors import CheckpointError
from voiceswap.features import AudioConfig, LogMel, extract_f0
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.checkpoint import (
    FORMAT,
    Checkpoint,
    load_checkpoint,
    read_metadata,
    save_checkpoint,
)
from voiceswap.models.speaker_distribution import SpeakerDistribution
from voiceswap.models.vocoder import SourceFilterVocoder

AUDIO = AudioConfig()


@pytest.fixture
def checkpoint():
    return Checkpoint(
        Autoencoder(AUDIO, "mel", decoder_blocks=2),
        SourceFilterVocoder(AUDIO, blocks=1),
        {"licence": "none"},
    )


def test_what_is_saved_is_loaded(tmp_path, checkpoint):
    loaded = load_checkpoint(save_checkpoint(tmp_path / "model.safetensors", checkpoint))
    assert loaded.audio == AUDIO and loaded.card == {"licence": "none"}
    for name in ("autoencoder", "vocoder"):
        before, after = getattr(checkpoint, name), getattr(loaded, name)
        assert before.architecture == after.architecture and not after.training
        for key, tensor in before.state_dict().items():
            torch.testing.assert_close(
                after.state_dict()[key], tensor, atol=0.01 * float(tensor.abs().max()), rtol=0
            )


def test_eight_bits_change_the_sound_by_less_than_minus_40_db(tmp_path, hello):
    torch.manual_seed(0)
    vocoder = SourceFilterVocoder(AUDIO).eval()
    path = save_checkpoint(
        tmp_path / "model.safetensors", Checkpoint(Autoencoder(AUDIO, "mel"), vocoder)
    )
    mel, f0 = (
        LogMel(AUDIO)(torch.from_numpy(hello)[None]),
        torch.from_numpy(extract_f0(hello, AUDIO))[None],
    )
    with torch.inference_mode():
        before, after = vocoder(mel, f0), load_checkpoint(path).vocoder(mel, f0)
    assert (after - before).square().mean() < 1e-4 * before.square().mean()


def test_a_vocoder_for_other_mels_is_refused(tmp_path, checkpoint):
    checkpoint.vocoder = SourceFilterVocoder(AudioConfig(hop_length=256))
    with pytest.raises(
        CheckpointError, match="hop_length is 160 in the autoencoder and 256 in the vocoder"
    ):
        save_checkpoint(tmp_path / "model.safetensors", checkpoint)
    assert list(tmp_path.iterdir()) == []


def test_a_network_of_another_autoencoder_is_refused(tmp_path, checkpoint):
    checkpoint.streaming = load_checkpoint().streaming
    with pytest.raises(CheckpointError, match="encoder is for an autoencoder on whisper-base with"):
        save_checkpoint(tmp_path / "model.safetensors", checkpoint)
    checkpoint.streaming, checkpoint.front_end_adapter = None, load_checkpoint().front_end_adapter
    with pytest.raises(CheckpointError, match="adapter is for an autoencoder on whisper-base"):
        save_checkpoint(tmp_path / "model.safetensors", checkpoint)
    checkpoint.front_end_adapter = None
    checkpoint.speaker_distribution = SpeakerDistribution(checkpoint.audio, code=8)
    with pytest.raises(CheckpointError, match="distribution is of 8 channels, and the auto"):
        save_checkpoint(tmp_path / "model.safetensors", checkpoint)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cant_be_written_is_one_sentence(tmp_path, checkpoint):
    (tmp_path / "file").touch()
    (tmp_path / "model.safetensors").mkdir()
    reasons = {
        tmp_path
        / "file/model.safetensors": r"model.safetensors can't be written: .*is no folder\.$",
        tmp_path / "model.safetensors": r"model.safetensors is a folder; give a file's name\.$",
    }
    for path, reason in reasons.items():
        with pytest.raises(CheckpointError, match=reason):
            save_checkpoint(path, checkpoint)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "model.safetensors"]


def truncated(path):
    path.write_bytes(path.read_bytes()[:100_000])


def foreign(path):
    save_file({"x": torch.zeros(2)}, path)


def pickled(path):
    torch.save({"x": torch.zeros(2)}, path)


def newer(path):
    save_file({"x": torch.zeros(2)}, path, {"voiceswap": json.dumps({"format": FORMAT + 1})})


def incomplete(path):
    metadata = read_metadata(path)
    save_file({"autoencoder.nothing": torch.zeros(2)}, path, {"voiceswap": json.dumps(metadata)})


def unusual(path):
    metadata = read_metadata(path) | {"content_log_variance": "none"}
    save_file(load_file(path), path, {"voiceswap": json.dumps(metadata)})


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (truncated, "damaged or not a safetensors file"),
        (pickled, "damaged or not a safetensors file"),
        (foreign, "not a voiceswap model"),
        (newer, "newer voiceswap"),
        (incomplete, "does not hold the networks"),
        (unusual, "does not hold the networks"),
        (lambda path: path.unlink(), "There is no checkpoint"),
    ],
)
def test_a_bad_file_is_one_plain_sentence(tmp_path, checkpoint, spoil, sentence):
    path = save_checkpoint(tmp_path / "model.safetensors", checkpoint)
    spoil(path)
    with pytest.raises(CheckpointError, match=sentence) as error:
        load_checkpoint(path)
    assert "\n" not in str(error.value)


def test_an_unknown_front_end_is_a_sentence():
    with pytest.raises(CheckpointError, match="no front end 'ears'"):
        Autoencoder(AUDIO, "ears")
    with pytest.raises(
        CheckpointError,
        match="no front end 'whisper-base:7'; use mel, whisper-base or whisper-base:1 to :6",
    ):
        Autoencoder(AUDIO, "whisper-base:7")
    with pytest.raises(CheckpointError, match="16000 Hz in steps of 160"):
        from voiceswap.models.pretrained import front_end

        front_end("whisper-base", AudioConfig(sample_rate=24000))


def test_a_model_is_loaded_without_pytorchs_compiler():
    """Whose import takes longer than all else; some operations on the meta device bring it."""
    code = (
        "import sys, voiceswap.conversion.engine; before = set(sys.modules);"
        "voiceswap.VoiceSwapper.load(device='cpu'); print(*set(sys.modules) - before)"
    )
    command = [sys.executable, "-c", code]
    new = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in new if name.startswith(("torch._dynamo", "sympy"))]
