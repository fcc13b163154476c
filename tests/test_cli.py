import os
import subprocess
import sys
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
import soundfile
from commands import command, refusal, run
from rates import RATE

from voiceswap.examples import GOODBYE, HELLO, ZAIJIAN
from voiceswap.live import portaudio
from voiceswap.models.checkpoint_header import DEFAULT, read_metadata
from voiceswap.weights import FOLDER


def test_demo_writes_four_recordings_and_a_picture(monkeypatch, tmp_path, capsys):
    command(monkeypatch, "demo", "--lang", "zh", "--out", tmp_path)
    names = {
        "a-says-hello.wav",
        "b-says-goodbye.wav",
        "a-says-goodbye.wav",
        "b-says-hello.wav",
        "mels.png",
    }
    assert {path.name for path in tmp_path.iterdir()} == names
    shown = capsys.readouterr().out
    assert all(name in shown for name in names)
    comments = {
        name: soundfile.SoundFile(tmp_path / name).comment for name in names if name != "mels.png"
    }
    assert {name for name, text in comments.items() if "Synthetic" in text} == {
        "a-says-goodbye.wav",
        "b-says-hello.wav",
    }
    converted = soundfile.info(tmp_path / "a-says-goodbye.wav")
    assert converted.duration == soundfile.info(ZAIJIAN).duration and converted.samplerate == RATE


def test_outputs_have_names_of_what_they_hold(monkeypatch, tmp_path, model):
    monkeypatch.chdir(tmp_path)
    convert = "convert", HELLO, "--target", GOODBYE
    for arguments in (convert, (*convert, "--out", "new folder"), ("voice", HELLO)):
        command(monkeypatch, *arguments, "--checkpoint", model)
    converted = "hello-in-the-voice-of-goodbye.wav"
    made = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert made == {converted, f"new folder/{converted}", "hello.safetensors"}


def test_swap_convert_reconstruct_and_embed(monkeypatch, tmp_path):
    command(monkeypatch, "swap", HELLO, GOODBYE, "--out", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "hello-in-the-voice-of-goodbye.wav",
        "goodbye-in-the-voice-of-hello.wav",
    }
    targets = ("--target", GOODBYE, "--target", HELLO)
    command(monkeypatch, "convert", HELLO, *targets, "--out", tmp_path / "c.flac", "--pitch", "-2")
    command(monkeypatch, "reconstruct", HELLO, "--out", tmp_path / "r.mp3")
    command(monkeypatch, "embed", HELLO, "--out", tmp_path / "codes.npz")
    codes = np.load(tmp_path / "codes.npz")
    assert (
        codes["content"].shape[1] == 64
        and codes["content_rate"] == 50
        and codes["speaker"].shape == (128,)
    )


def test_info_is_short_and_all_shows_licences(monkeypatch, capsys, swapper):
    command(monkeypatch, "info")
    short = capsys.readouterr().out
    for part in ("16000 Hz in, 24000 Hz out", swapper.fingerprint, "CER", "PyTorch", "extras"):
        assert part in short
    assert len(short.splitlines()) < 20
    command(monkeypatch, "info", "--all")
    shown = capsys.readouterr().out
    assert "CC BY 4.0" in shown and "decoder_blocks 8" in shown and "WER" in shown


def test_info_describes_a_saved_voice(monkeypatch, capsys, swapper, tmp_path, hello):
    voice = swapper.voice([(hello, 16000), (hello, 16000)])
    scores = {"seconds": 12.3, "before": {"similarity": 0.5}, "after": {"similarity": 0.75}}
    path = swapper.save_voice(
        replace(voice, notes={"consent": True, "adapted": scores}), tmp_path / "anna.safetensors"
    )
    command(monkeypatch, "info", path)
    shown = " ".join(capsys.readouterr().out.split())
    own = f"{swapper.fingerprint}, the one in the package"
    for part in ("anna", own, "recordings │ 7.7 s", "its owner agreed"):
        assert part in shown
    assert "adapting from 12.3 s of speech did not help" in shown
    swapper.save_voice(voice, path)
    path.write_bytes(path.read_bytes().replace(swapper.fingerprint.encode(), b"0" * 16))
    command(monkeypatch, "info", path)
    shown = " ".join(capsys.readouterr().out.split())
    assert "not the one in the package" in shown and "consent │ not stated" in shown


def test_the_models_figures_are_those_of_its_card():
    page = (FOLDER / "MODEL_CARD.md").read_text(encoding="utf-8")
    figures = read_metadata()["card"]["figures"]
    assert f"(DV) | {figures['DV'].split(',')[0]} |" in page
    assert f"took part in training) | {figures['CER'].split(' (')[0]} |" in page
    assert f"(MOS predicted by DistillMOS) | {figures['MOS'].split(' ')[0]} |" in page


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["convert", "nobody.wav", "--target", HELLO], "nobody.wav does not exist."),
        (["convert", HELLO, "--target", __file__], "can't be read as audio"),
        (["convert", HELLO, "--target", GOODBYE, "--out", "words.txt"], "no audio format is known"),
        (
            ["convert", HELLO, "--target", GOODBYE, "--pitch", "30"],
            "--pitch is '30', but must be a number",
        ),
        (["live", "--list-devices"], "No sound device was found; connect one, or"),
        (["live", "--target", GOODBYE], "No sound device was found; connect one, or"),
        (["info", "."], ". is a folder; give a file in it."),
        (["info", __file__], "damaged or not a safetensors file"),
        (["swap", HELLO, GOODBYE, "--device", "abacus"], "can't be used here"),
        (["swap", HELLO, GOODBYE, "--device", "meta"], "can't be used here"),
        (["ui", "--max-minutes", "inf"], "--max-minutes is inf, but must be a number of 0.1"),
        (["train", "parrot"], "no network 'parrot'"),
        (["live", "--target", HELLO, "--report"], "--report and --overwrite need --simulate"),
        (["convert", HELLO, "--target", GOODBYE, "--out", "a.wma"], "can be read, but not written"),
        (["convert", "http://a.org/b", "--target", HELLO], "http://a.org/b is an address"),
        (["swap", HELLO, DEFAULT], "a saved voice has no words"),
        (["swap", HELLO, GOODBYE, "--out", f"{__file__}/no"], "can't be written"),
        (["export", DEFAULT, "--out", "m.wav"], "A model's file has to end in .safetensors, and"),
        (["adapt", "."], "There is no recording in the folder"),
    ],
)
def test_a_mistake_is_one_sentence_and_no_trace(monkeypatch, tmp_path, capsys, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(portaudio, "portaudio", lambda: Mock(query_devices=list))
    assert run(monkeypatch, *arguments) == (2 if "must be a number" in sentence else 1)
    shown = capsys.readouterr().err
    assert sentence in shown and "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["info", "no.safetensors"], "There is no model or saved voice no.safetensors."),
        (["info", HELLO], "is a recording, and info takes a model or a saved voice;"),
        (["embed", HELLO, "--checkpoint", HELLO], "is damaged or not a safetensors file;"),
        (["adapt", HELLO, "--checkpoint", "no"], "There is no checkpoint no."),
        (["live", "--target", HELLO, "--simulate", HELLO, "--checkpoint", "no"], "no checkpoint"),
        (["ui", "--voices", "new", "--checkpoint", "no"], "There is no checkpoint no."),
        (["export", "no.ckpt"], "There is no checkpoint no.ckpt."),
        (["batch", HELLO, "--target", HELLO, "--out", "o", "--checkpoint", HELLO], "is damaged or"),
        (["batch", "no.wav", "--target", GOODBYE, "--out", "out"], "no.wav does not exist."),
        (["batch", HELLO, "--target", "no.wav", "--out", "out"], "no.wav does not exist."),
    ],
)
def test_a_wrong_file_is_told_before_pytorch_loads(tmp_path, arguments, sentence):
    code = "import sys; sys.modules['torch'] = None; from voiceswap.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode in (1, 2) and sentence in result.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["swap", HELLO, GOODBYE], 1),
        (["demo"], 1),
        (["batch", HELLO, "--target", GOODBYE], 2),
        (["evaluate", "--pairs", "pairs.csv", "--root", HELLO.parent], 1),
    ],
)
def test_a_files_name_is_no_folder(monkeypatch, tmp_path, capsys, arguments, status):
    monkeypatch.chdir(tmp_path)
    pair = f"id,source,target,source_text\none,{HELLO.name},{GOODBYE.name},Hello.\n"
    (tmp_path / "pairs.csv").write_text(pair)
    assert run(monkeypatch, *arguments, "--out", "new.WAV") == status
    sentence = "new.WAV is a file's name, and --out is a folder here; give it without .WAV."
    assert " ".join(capsys.readouterr().err.split()) == sentence
    assert not (tmp_path / "new.WAV").exists()


def test_conversion_needs_none_of_the_extras():
    code = f"""
import sys
for name in ("lightning", "lhotse", "gradio", "librosa", "jsonargparse", "sklearn"):
    sys.modules[name] = None
from voiceswap import VoiceSwapper
swapper = VoiceSwapper.load(device="cpu")
assert len(swapper.swap({str(HELLO)!r}, {str(GOODBYE)!r})) == 2
from voiceswap.cli import main
sys.argv = ["voiceswap", "train", "vocoder"]
main()
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 1, result.stderr
    assert 'pip install "voiceswap[train]"' in result.stderr and "Traceback" not in result.stderr


def test_nothing_that_is_read_is_written_over(monkeypatch, capsys, tmp_path):
    talk, voice = tmp_path / "talk.wav", tmp_path / "voice.wav"
    for path, source in ((talk, HELLO), (voice, GOODBYE)):
        soundfile.write(path, *soundfile.read(source))
    before = talk.read_bytes(), voice.read_bytes()
    for arguments in (
        ("convert", talk, "--target", voice, "--out", talk),
        ("convert", talk, "--target", voice, "--out", voice),
        ("reconstruct", talk, "--out", talk),
        ("embed", talk, "--out", talk),
        ("voice", voice, "--out", voice),
    ):
        wanted = "give another --out" if arguments[0] in ("convert", "reconstruct") else "end in"
        assert wanted in refusal(monkeypatch, capsys, *arguments)
    assert before == (talk.read_bytes(), voice.read_bytes())


@pytest.mark.skipif(sys.platform != "linux", reason="file systems here hold UTF-8 names only")
def test_names_that_are_no_utf_8_are_read_and_links_are_written_through(
    monkeypatch, capsys, tmp_path, model
):
    named = os.fsencode(tmp_path) + b"/caf\xe9.wav"
    with open(named, "wb") as file:
        soundfile.write(file, *soundfile.read(HELLO), format="WAV")
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "out.wav"
    link.symlink_to(tmp_path / "elsewhere" / "out.wav")
    source = os.fsdecode(named)
    given = "convert", source, "--target", GOODBYE, "--out", link
    command(monkeypatch, *given, "--checkpoint", model)
    assert link.is_symlink() and (tmp_path / "elsewhere" / "out.wav").is_file()
    assert "caf" in capsys.readouterr().out


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_a_full_disk_under_the_output_is_a_sentence():
    command = [sys.executable, "-m", "voiceswap", "info"]
    with open("/dev/full", "w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "can't be written (No space left on device)" in " ".join(result.stderr.split())


def test_ctrl_c_is_a_word(monkeypatch, capsys, tmp_path):
    stop = Mock(side_effect=KeyboardInterrupt)
    monkeypatch.setattr("voiceswap.conversion.swapper.VoiceSwapper.load", stop)
    assert run(monkeypatch, "convert", HELLO, "--target", GOODBYE, "--out", tmp_path) == 130
    assert capsys.readouterr().err.strip() == "Stopped."


@pytest.mark.parametrize("more", [["convert", HELLO], ["batch", HELLO, "--jobs", 1]])
def test_32_bits_are_an_option(monkeypatch, tmp_path, exact, more):
    arguments = ("--target", GOODBYE, "--precision", "fp32", "--out", tmp_path)
    command(monkeypatch, *more, *arguments)
    (out,) = [path for path in tmp_path.rglob("*") if path.suffix in (".wav", ".flac")]
    np.testing.assert_allclose(soundfile.read(out)[0], exact.convert(HELLO, GOODBYE), atol=2e-3)
