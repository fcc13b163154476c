"""Voices that nobody has: on the command line and in Python, by seed and by pitch."""

import math

import commands
import numpy as np
import pytest

from voiceswap import VoiceswapError
from voiceswap.conversion.voice_file import describe_voice
from voiceswap.examples import HELLO
from voiceswap.features import F0_MIN

ODD = [(200, 100), (-5, 100), (math.nan, 100), "low", (100,), 120, None]


@pytest.fixture(name="run")
def run_tiny(monkeypatch, capsys, model, tmp_path):
    """Runs `voice` with the tiny model in `tmp_path`; gives its status and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run_here(*arguments):
        status = commands.run(monkeypatch, "voice", *arguments, "--checkpoint", model)
        shown = capsys.readouterr()
        return status, " ".join((shown.out + shown.err).split())

    return run_here


def test_a_seed_gives_the_voice_that_python_and_the_page_draw(run, tiny, tmp_path):
    status, shown = run("--random", "--seed", 7, "--out", "witness.safetensors")
    assert status == 0 and "a voice that nobody has" in shown and "seed 7" in shown
    kept = tiny.load_voice(tmp_path / "witness.safetensors")
    np.testing.assert_array_equal(kept.code, tiny.sample(7).code)
    assert describe_voice(tmp_path / "witness.safetensors")["drawn"] == 7


def test_without_a_seed_every_run_gives_another_voice_under_a_name_of_its_own(run, tiny, tmp_path):
    assert [run("--random")[0] for _ in range(2)] == [0, 0]
    voices = [tiny.load_voice(tmp_path / f"random{n}.safetensors") for n in ("", "-2")]
    assert not np.array_equal(*(voice.code for voice in voices))
    for path, voice in zip(("random", "random-2"), voices, strict=True):
        seed = describe_voice(tmp_path / f"{path}.safetensors")["drawn"]
        np.testing.assert_array_equal(tiny.sample(seed).code, voice.code)


def test_a_witness_keeps_the_voice_when_the_command_runs_again(run, tmp_path):
    path = tmp_path / "witness.safetensors"
    assert run("--random", "--out", path)[0] == 0
    before = path.read_bytes()
    status, shown = run("--random", "--out", path)
    assert status == 1 and "exists; give another --out, or --overwrite" in shown
    assert path.read_bytes() == before
    assert run("--random", "--out", path, "--overwrite")[0] == 0
    assert path.read_bytes() != before


def test_the_pitch_is_in_the_range(run, tiny, tmp_path):
    any_pitch = [math.exp(tiny.sample(seed).log_f0[0]) for seed in range(20)]
    low, high = np.quantile(any_pitch, (0.4, 0.6))
    drawn = [tiny.sample(seed, (low, high)) for seed in range(5)]
    assert all(low <= math.exp(voice.log_f0[0]) <= high for voice in drawn)
    assert len({voice.code.numpy().tobytes() for voice in drawn}) == 5
    assert run("--random", "--hertz", low, high, "--out", "v.safetensors")[0] == 0
    assert low <= describe_voice(tmp_path / "v.safetensors")["hertz"] <= high


def test_the_low_notes_of_every_voice_can_be_made(tiny):
    drawn = [tiny.sample(seed).log_f0 for seed in range(40)]
    assert all(math.exp(mean - 2 * deviation) >= F0_MIN for mean, deviation in drawn)


def test_a_pitch_that_no_voice_has_is_a_sentence(run, tiny, tmp_path):
    status, shown = run("--random", "--hertz", 2, 3)
    assert status == 1 and "none has a mean pitch from 2 to 3 Hz and low notes from" in shown
    for hertz in ODD:
        with pytest.raises(VoiceswapError, match="must be two numbers from 0 on, the lower"):
            tiny.sample(1, hertz)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Give recordings of one voice, or a folder of them; or --random"),
        (("--random", HELLO), "takes no recordings; leave them out, or leave out --random"),
        ((HELLO, "--seed", 3), "--seed and --hertz are for a random voice; give --random too."),
        ((HELLO, "--hertz", 90, 120), "are for a random voice; give --random too."),
        (("--random", "--seed", -1), "seed is -1, but must be a whole number from 0"),
        (("--random", "--seed", 2**63), "must be a whole number from 0 to 2**63 - 1"),
        (("--random", "--out", "v.wav"), "A voice's file has to end in .safetensors"),
    ],
)
def test_what_does_not_go_together_is_a_sentence(run, tmp_path, arguments, sentence):
    status, shown = run(*arguments)
    assert status == 1 and sentence in shown and "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []


def test_info_tells_that_a_voice_is_nobodys(monkeypatch, capsys, tiny, tmp_path):
    path = tiny.save_voice(tiny.sample(7), tmp_path / "witness.safetensors")
    commands.command(monkeypatch, "info", path)
    shown = " ".join(capsys.readouterr().out.split())
    assert "random, a voice that nobody has; seed 7" in shown and "consent" not in shown
