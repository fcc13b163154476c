"""Where commands write, and what they print: folders, inputs, pipes, names, numbers."""

import io
import itertools
import shutil
import sys

import commands
import pytest
import soundfile

from voiceswap import VoiceswapError
from voiceswap.examples import GOODBYE, HELLO


@pytest.fixture(name="run")
def run_tiny(monkeypatch, capsys, model, tmp_path):
    """Runs a command with the tiny model in `tmp_path`; gives its status and what it printed."""
    monkeypatch.chdir(tmp_path)
    for name, example in (("s.wav", HELLO), ("t.wav", GOODBYE)):
        soundfile.write(tmp_path / name, *soundfile.read(example))

    def run_here(*arguments):
        status = commands.run(monkeypatch, *arguments, "--checkpoint", model)
        shown = capsys.readouterr()
        return status, shown.out + shown.err

    return run_here


CONVERT = ("convert", "s.wav", "--target", "t.wav", "--out")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (CONVERT, "s-in-the-voice-of-t.wav"),
        (("reconstruct", "s.wav", "--out"), "s-reconstructed.wav"),
        (("voice", "t.wav", "--out"), "t.safetensors"),
        (("embed", "s.wav", "--out"), "s.npz"),
    ],
)
def test_a_folder_gets_a_file(run, tmp_path, arguments, name):
    (tmp_path / "folder").mkdir()
    status, shown = run(*arguments, "folder")
    assert status == 0 and name in shown
    assert [path.name for path in (tmp_path / "folder").iterdir()] == [name]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (CONVERT[:-1], ["s-in-the-voice-of-t{}.wav"]),
        ((*CONVERT, "folder"), ["folder/s-in-the-voice-of-t{}.wav"]),
        (
            ("swap", "s.wav", "t.wav"),
            [f"swapped/{a}-in-the-voice-of-{b}{{}}.wav" for a, b in ("st", "ts")],
        ),
        (("voice", "t.wav"), ["t{}.safetensors"]),
        (("adapt", "t.wav", "--steps", "1"), ["t{}.safetensors"]),
        (("reconstruct", "s.wav"), ["s-reconstructed{}.wav"]),
        (("embed", "s.wav"), ["s{}.npz"]),
        (("live", "--target", "t.wav", "--simulate", "s.wav"), ["s-live{}.wav"]),
    ],
)
def test_a_default_name_replaces_nothing(run, tmp_path, arguments, names):
    first, second = ([tmp_path / name.format(n) for name in names] for n in ("", "-2"))
    first[0].parent.mkdir(exist_ok=True)
    first[0].write_text("mine")
    status, shown = run(*arguments)
    assert status == 0 and second[0].name in shown
    assert first[0].read_text() == "mine" and all(path.exists() for path in second)
    assert run(*arguments, "--overwrite")[0] == 0
    assert all(path.stat().st_size > 4 for path in first)


@pytest.mark.parametrize(
    ("source", "ending", "subtype"),
    [
        ("PCM_24", "wav", "PCM_24"),
        ("FLOAT", "wav", "FLOAT"),
        ("FLOAT", "flac", "PCM_24"),
        ("FLOAT", "ogg", "VORBIS"),
        ("PCM_U8", "wav", "PCM_16"),
        ("ULAW", "wav", "PCM_16"),
    ],
)
def test_outputs_have_the_bits_of_their_sources_and_at_least_16(
    run, tmp_path, source, ending, subtype
):
    samples, rate = soundfile.read(HELLO)
    soft = samples if source in ("PCM_U8", "ULAW") else 0.0003 * samples
    soundfile.write(tmp_path / "s.wav", soft, rate, source)
    kinds = [(*CONVERT, f"a.{ending}"), ("reconstruct", "s.wav", "--out", f"a.{ending}")]
    for arguments in [*kinds, ("live", "--target", "t.wav", "--simulate", *kinds[1][1:])]:
        status, shown = run(*arguments)
        assert status == 0, shown
        assert soundfile.info(tmp_path / f"a.{ending}").subtype == subtype


def test_the_plot_of_an_adaptation_replaces_nothing(run, tmp_path):
    plot, unfinished = (tmp_path / f"v-{name}.png" for name in ("adapted", "adapting"))
    plot.write_text("mine")
    unfinished.write_text("mine, too")
    arguments = ("adapt", "t.wav", "--steps", "1", "--out", "v.safetensors")
    status, shown = run(*arguments)
    assert status == 0 and "v-adapted-2.png" in shown
    assert plot.read_text() == "mine" and (tmp_path / "v-adapted-2.png").exists()
    assert unfinished.read_text() == "mine, too"
    assert run(*arguments, "--overwrite")[0] == 0 and plot.stat().st_size > 4


def test_a_stopped_adaptation_goes_on_and_another_person_gets_another_name(
    run, tmp_path, monkeypatch
):
    from voiceswap.adaptation.trainer import Trainer

    rising = itertools.count()  # every step helps, whatever the tiny model makes of it
    monkeypatch.setattr("voiceswap.adaptation.adapt.EVERY", 1)
    monkeypatch.setattr(
        "voiceswap.adaptation.adapt.selection_score", lambda scores, before: next(rising)
    )
    real, files = Trainer.train_step, tmp_path.glob

    def stop_at_the_second(trainer):
        if trainer.step:
            raise KeyboardInterrupt
        return real(trainer)

    def fail_to_save(*arguments):
        raise VoiceswapError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "train_step", stop_at_the_second)
        run("adapt", "s.wav", "--name", "memo", "--steps", "2")
        (tmp_path / "other-adapting.png").write_text("mine")
        run("adapt", "t.wav", "--name", "other", "--steps", "2")
    assert (tmp_path / "other-adapting.png").read_text() == "mine"
    for path in files("other*"):
        path.unlink()
    (state,), (plot,) = files("*.adapting"), files("*.png")
    before = state.read_bytes()
    run("adapt", "t.wav", "--name", "memo", "--steps", "2")
    assert state.read_bytes() == before and (tmp_path / "memo-2.safetensors").exists()
    with monkeypatch.context() as patched:  # what was learned outlives a voice that isn't saved
        patched.setattr("voiceswap.conversion.swapper.save_voice", fail_to_save)
        run("adapt", "s.wav", "--name", "memo", "--steps", "2")
    assert state.exists()
    run("adapt", "s.wav", "--name", "memo", "--steps", "2")
    assert not state.exists() and {path.name for path in files("*.safetensors")} == {
        "memo.safetensors",
        "memo-2.safetensors",
    }
    assert plot.name == "memo-adapting.png"
    assert {path.name for path in files("*.png")} == {"memo-adapted.png", "memo-2-adapted.png"}


def test_a_folder_is_a_target(run, tmp_path):
    (tmp_path / "anna").mkdir()
    for number in (1, 2):
        shutil.copy(tmp_path / "t.wav", tmp_path / f"anna/{number}.wav")
    (tmp_path / "anna/notes.txt").write_text("no recording")
    status, shown = run("convert", "s.wav", "--target", "anna")
    assert status == 0 and "s-in-the-voice-of-anna.wav" in shown
    assert run("voice", "anna")[0] == 0 and (tmp_path / "anna.safetensors").exists()
    status, shown = run("live", "--target", "anna", "--simulate", "s.wav")
    assert status == 0


BROKEN = [
    ("swap", "s.wav", "BAD"),
    ("convert", "BAD", "--target", "t.wav"),
    ("convert", "s.wav", "--target", "t.wav", "--target", "BAD"),
    ("voice", "BAD"),
    ("adapt", "BAD"),
    ("reconstruct", "BAD"),
    ("embed", "BAD"),
    ("live", "--target", "BAD"),
    ("live", "--target", "t.wav", "--enroll", "BAD"),
    ("live", "--target", "t.wav", "--simulate", "BAD"),
]


@pytest.mark.parametrize("arguments", BROKEN, ids=" ".join)
@pytest.mark.parametrize(
    ("bad", "sentence"), [("no.wav", "no.wav does not exist."), ("x.wav", "x.wav can't be read as")]
)
def test_what_is_read_is_looked_at_before_the_model_loads(
    run, tmp_path, monkeypatch, arguments, bad, sentence
):
    (tmp_path / "x.wav").write_text("no sound")
    monkeypatch.delattr("voiceswap.conversion.swapper.VoiceSwapper.load")
    status, shown = run(*(bad if word == "BAD" else word for word in arguments))
    assert status == 1 and sentence in " ".join(shown.split())


def test_default_names_that_are_too_long_are_a_sentence(run, tmp_path):
    names = f"{'ä' * 60}.wav", f"{'ä' * 60}2.wav"
    for name, given in zip(names, ("s.wav", "t.wav"), strict=True):
        (tmp_path / name).write_bytes((tmp_path / given).read_bytes())
    for arguments in (("convert", names[0], "--target", names[1]), ("swap", *names)):
        status, shown = run(*arguments)
        assert status == 1 and "can't be written (File name too long)" in " ".join(shown.split())


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        (CONVERT, "s.wav"),
        (CONVERT, "t.wav"),
        (("reconstruct", "s.wav", "--out"), "s.wav"),
        (("voice", "UP.SAFETENSORS", "--out"), "UP.SAFETENSORS"),
    ],
)
def test_what_is_read_is_written_over_only_when_asked(run, tmp_path, arguments, read):
    assert run("voice", "t.wav", "--out", "UP.SAFETENSORS")[0] == 0
    before = (tmp_path / read).read_bytes()
    status, shown = run(*arguments, read)
    assert status == 1 and "or --overwrite to write over it." in shown.replace("\n", " ")
    assert (tmp_path / read).read_bytes() == before
    assert run(*arguments, read, "--overwrite")[0] == 0
    if read == "s.wav":
        assert (tmp_path / read).read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("voice", "t.wav", "--out", "v.bin"), "A voice's file has to end in .safetensors"),
        ((*CONVERT, "new.raw"), "no audio format is known by the ending '.raw'"),
        ((*CONVERT, "new.wma"), "'.wma' can be read, but not written; use .wav"),
        (
            (*CONVERT, "n.wav", "--pitch", "nan"),
            "pitch is 'nan', but must be a number from -24 to 24, 'exact', or 'exact' with a "
            "number, as exact+12.",
        ),
        (
            ("batch", "s.wav", "--target", "t.wav", "--out", "o", "--pitch", "30"),
            "--pitch is '30', but must be a number from -24 to 24",
        ),
        ((*CONVERT, "n.wav", "--strength", "2"), "--strength is 2, but must be a number from 0 to"),
        (("ui", "--max-minutes", "nan"), "--max-minutes is nan, but must be a number of 0.1 or"),
    ],
)
def test_what_can_not_be_used_is_a_sentence(run, arguments, sentence):
    status, shown = run(*arguments)
    assert status == (2 if "must be a number" in sentence else 1)
    assert sentence in shown.replace("\n", " ")


def test_notes_are_lines(run, hello, tmp_path):
    import numpy as np

    soundfile.write(tmp_path / "both.wav", np.stack([hello, -hello], 1), 16000)
    status, shown = run("convert", "both.wav", "--target", "t.wav", "--out", "o.wav")
    assert status == 0 and "both.wav: one channel is inverted or late" in shown


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize(
    "name",
    [
        "x😀.wav",
        pytest.param(
            "caf\udce9.wav",  # bytes that are not UTF-8
            marks=pytest.mark.skipif(sys.platform != "linux", reason="no such names here"),
        ),
    ],
)
def test_names_that_a_console_lacks_are_printed_with_replacements(
    run, tmp_path, monkeypatch, encoding, name
):
    (tmp_path / "s.wav").rename(tmp_path / name)
    console = io.TextIOWrapper(io.BytesIO(), encoding)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", console)
        assert run("convert", name, "--target", "t.wav", "--out", f"o-{name}")[0] == 0
    assert (tmp_path / f"o-{name}").exists()
    console.flush()
    assert b"in the voice of t.wav" in console.buffer.getvalue()
