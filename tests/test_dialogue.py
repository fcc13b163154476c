"""Recordings in which two people speak in turns."""

import re
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch
from commands import command, run
from two_people import RATE, in_turns, wrong

from voiceswap import AudioError, Turn, convert_dialogue
from voiceswap.audio import read_audio
from voiceswap.conversion.dialogue import OF_BOTH
from voiceswap.conversion.turns import covering, read_turns, write_turns
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.notes import notes_to


@pytest.fixture(scope="module")
def dialogue(tmp_path_factory, hello, goodbye):
    """A file in which a man and a woman speak in turns, and who speaks when."""
    samples, turns = in_turns(hello, goodbye, hello, goodbye)
    path = tmp_path_factory.mktemp("dialogue") / "talk.wav"
    soundfile.write(path, samples, RATE, "FLOAT")
    return path, turns


@pytest.fixture
def call(tmp_path, hello, goodbye):
    """A file with a person on each channel, who is softer on the other one; at 2 to 3 s both."""
    channels = np.zeros((2, 10 * RATE), np.float32)
    for channel, voice, starts in ((0, goodbye, (2.0, 7.0)), (1, hello, (0.0, 4.5))):
        for start in starts:
            first = round(start * RATE)
            channels[channel, first : first + 3 * RATE] = voice[: 3 * RATE]
    mixed = (
        channels
        + 0.1 * channels[::-1]
        + 1e-4 * np.random.default_rng(0).standard_normal(channels.shape)
    )
    soundfile.write(tmp_path / "call.wav", mixed.T, RATE, "FLOAT")
    return tmp_path / "call.wav", channels


def test_who_has_a_channel_is_converted_from_it(swapper, call, tmp_path):
    path, (woman, man) = call
    notes = []
    with notes_to(notes.append):
        found = convert_dialogue(swapper, path, tmp_path / "out.wav")
    assert any("each of the two has a channel of their own" in one for one in notes)
    assert [turn.speaker for turn in found] == [1, 2, 1, 2]
    out = read_audio(tmp_path / "out.wav", RATE)
    assert len(out) == len(man)
    verifier = swapper.engine.verifier
    voices = [verifier(torch.from_numpy(wave)) for wave in (man, woman)]
    for first, last, who in ((0, 2, 0), (3, 5, 1), (5, 7, 0), (7, 10, 1)):
        vector = verifier(torch.from_numpy(out[first * RATE : last * RATE]))
        assert vector @ voices[1 - who] > vector @ voices[who]


def test_nothing_of_who_is_converted_is_left_on_the_other_s_channel(tiny, call, tmp_path):
    path, (woman, man) = call
    convert_dialogue(tiny, path, tmp_path / "out.wav", {1: [GOODBYE]})
    out = read_audio(tmp_path / "out.wav", RATE)
    alone = slice(round(0.2 * RATE), round(1.6 * RATE))  # where the other channel is closed
    assert abs(np.corrcoef(out[alone], man[alone])[0, 1]) < 0.3
    kept = slice(round(8 * RATE), round(9 * RATE))
    assert np.corrcoef(out[kept], woman[kept])[0, 1] > 0.99
    assert out[kept].std() == pytest.approx(woman[kept].std() / 2, rel=0.05)


def test_two_people_swap_voices_within_a_recording(swapper, dialogue, tmp_path):
    path, true = dialogue
    shares: list[float] = []
    found = convert_dialogue(swapper, path, tmp_path / "out.wav", progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert any(0 < share < 0.5 for share in shares)  # while turns are searched for
    assert wrong(found, true) < 0.02 and len(found) == 4
    source, out = read_audio(path, RATE), read_audio(tmp_path / "out.wav", RATE)
    assert abs(len(out) - len(source)) <= 1
    verifier = swapper.engine.verifier
    voices = [verifier(torch.from_numpy(read_audio(person, RATE))) for person in (HELLO, GOODBYE)]
    for turn in true:
        first, last = round(turn.start * RATE), round(turn.end * RATE)
        vector = verifier(torch.from_numpy(out[first:last]))
        own, other = voices[turn.speaker - 1], voices[2 - turn.speaker]
        assert vector @ other > vector @ own + 0.1
        levels = [np.square(wave[first:last]).mean() for wave in (source, out)]
        assert abs(10 * np.log10(levels[1] / levels[0])) < 1.5


def test_who_has_no_target_stays_as_recorded(tiny, dialogue, tmp_path):
    path, _ = dialogue
    out = tmp_path / "out.wav"
    found = convert_dialogue(tiny, path, out, {2: [GOODBYE]})
    source, converted = read_audio(path, RATE), read_audio(out, RATE)
    assert len(converted) == len(source)
    edge = round(0.01 * RATE)
    for turn in found:
        inside = slice(round(turn.start * RATE) + edge, round(turn.end * RATE) - edge)
        error = np.square(converted[inside] - source[inside]).mean()
        assert (error < 1e-3 * np.square(source[inside]).mean()) == (turn.speaker == 1)


def test_turns_are_written_corrected_and_read(model, dialogue, tmp_path, monkeypatch, capsys):
    path, _ = dialogue
    listed = tmp_path / "turns.csv"

    def converted(name: str) -> np.ndarray:
        out = tmp_path / name
        command(
            monkeypatch,
            *("dialogue", path, "--turns", listed, "--out", out, "--checkpoint", model),
        )
        return soundfile.read(out)[0]

    first = converted("first.wav")
    told = capsys.readouterr().out
    assert "speaker 1: 2 turns" in told and "correct it, and run again" in told
    assert listed.read_text("utf-8").splitlines()[0] == "start,end,speaker"
    assert (converted("again.wav") == first).all()
    turns = read_turns(listed)
    write_turns(listed, [turns[0], *(Turn(t.start, t.end, 3 - t.speaker) for t in turns[1:])])
    assert np.abs(converted("corrected.wav") - first).max() > 0.05


def test_the_way_out_of_a_wrong_voice_is_told(model, dialogue, tmp_path, monkeypatch, capsys):
    arguments = "dialogue", dialogue[0], "--out", tmp_path / "out.wav", "--checkpoint", model
    command(monkeypatch, *arguments)
    told = " ".join(capsys.readouterr().out.split())
    assert "--turns turns.csv writes who speaks when; correct it, and run the same again" in told


def test_more_speakers_than_two_are_those_of_a_list(tiny, dialogue, tmp_path):
    path, true = dialogue
    three = [Turn(turn.start, turn.end, who) for turn, who in zip(true, (1, 2, 3, 2), strict=True)]
    found = convert_dialogue(tiny, path, tmp_path / "out.wav", {3: [HELLO]}, three)
    assert [turn.speaker for turn in found] == [1, 2, 3, 2]
    assert [turn.start for turn in found[1:]] == [turn.start for turn in true[1:]]
    source, out = read_audio(path, RATE), read_audio(tmp_path / "out.wav", RATE)
    for turn in true[:1] + true[3:]:
        inside = slice(round(turn.start * RATE) + 800, round(turn.end * RATE) - 800)
        assert np.corrcoef(source[inside], out[inside])[0, 1] > 0.99


@pytest.mark.parametrize(
    "text",
    [
        "start;end;speaker\n0:00;0:03,4;1\n0:03,4;1:02:03,5;2\n",
        "\ufeffStart\tEnd\tSpeaker\n3.4\t3723.5\t2\n0\t3.4\t1.0\n\t\t\n",
        "start,end,speaker\n0,2,1\n2,3.4,1\n3.4,9,2\n00：00：09,3723.5,2\n",
        "start;end;speaker\n０：００;０：０３．４;１\n3。4;1:02:03.5;２．０\n",
    ],
)
def test_a_list_may_be_as_people_write_it(tmp_path, text):
    path = tmp_path / "turns.csv"
    path.write_text(text, encoding="utf-8")
    turns = covering(read_turns(path), 3723.5, "talk.wav")
    assert turns == [Turn(0, 3.4, 1), Turn(3.4, 3723.5, 2)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("start,end\n0,1\n", "has no column speaker"),
        ("start,end,speaker\n", "has no turns"),
        ("start,end,speaker\n0,one,1\n", "line 2: a turn is"),
        ("start,end,speaker\n0,1,1\n0.5,2,2\n", "begins before"),
        ("start,end,speaker\n0,1,0\n", "line 2: a turn is"),
        ("start,end,speaker\n0,1,1.5\n", "line 2: a turn is"),
        ("start,end,speaker\n0,1,1e300\n", "the number of a speaker, from 1 to 99"),
        ("start,end,speaker\n0,1,Anna\n", "line 2: a turn is"),
        ("start,end,speaker\n0,1\n", "line 2: a turn is"),
        ("start,end,speaker\n0,nan,1\n", "line 2: a turn is"),
        ("start,end,speaker\n0,2:-5,1\n", "line 2: a turn is"),
        ("start,end,speaker\n0,1,1\n900,901,2\n", r"one begins at 900.000 s \(15:00.000\)"),
        ("start,end,speaker\n0,9,1\n", "no turn of speaker 2"),
        ("start,end,speaker\n0,0.1,1\n0.1,9,2\n", r"talk.wav \(speaker 1\) is 0.10 s long"),
    ],
)
def test_a_list_that_can_t_be_used_is_told(
    model, dialogue, tmp_path, monkeypatch, capsys, text, problem
):
    listed = tmp_path / "turns.csv"
    listed.write_text(text)
    out = tmp_path / "out.wav"
    arguments = "dialogue", dialogue[0], "--turns", listed, "--out", out, "--checkpoint", model
    assert run(monkeypatch, *arguments) == 1
    assert re.search(problem, capsys.readouterr().err.splitlines()[-1])  # below notes
    assert not out.exists() and listed.read_text() == text


def test_turns_of_both_under_one_number_are_told(swapper, dialogue, tmp_path):
    path, true = dialogue
    turns = [replace(turn, speaker=number // 3 + 1) for number, turn in enumerate(true)]
    notes = []
    with notes_to(notes.append):
        convert_dialogue(swapper, path, tmp_path / "out.wav", turns=turns)
    assert f"{path} (speaker 1){OF_BOTH}" in notes
    assert not any("two people seem to speak in it" in sentence for sentence in notes)


def test_no_second_person_is_told(tiny, tmp_path, hello):
    path = tmp_path / "talk.wav"
    for samples in (hello[:RATE], np.zeros(5 * RATE)):
        soundfile.write(path, samples, RATE)
        with pytest.raises(AudioError, match=r"talk\.wav: no two people can be told apart in it"):
            convert_dialogue(tiny, path, tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()
