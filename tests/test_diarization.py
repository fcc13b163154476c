"""Who speaks when in a recording of two people."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from two_people import RATE, in_turns, wrong

from voiceswap import Turn
from voiceswap.audio import read_audio
from voiceswap.conversion.diarization import ALIKE, find_turns
from voiceswap.conversion.disk_array import DiskArray
from voiceswap.conversion.speaker_changes import turns_of
from voiceswap.notes import Note, notes_to


@pytest.mark.parametrize("who", [0, 3, 8, 9])
def test_a_note_tells_that_only_one_person_speaks(swapper, people, who):
    samples, _ = in_turns(*(read_audio(path, RATE) for path in people[who][:4]))
    notes: list[Note] = []
    with notes_to(notes.append):
        find_turns(DiskArray.of([samples], np.float32), swapper.engine.verifier, "talk.wav")
    assert [sentence.text for sentence in notes] == [ALIKE]


@pytest.mark.parametrize("pair", [(0, 1), (2, 3), (4, 7), (5, 9)])
def test_two_people_s_turns_are_found(swapper, people, pair):
    read = [[read_audio(path, RATE)[: 5 * RATE] for path in people[who][:3]] for who in pair]
    samples, true = in_turns(*(part for both in zip(*read, strict=True) for part in both))
    array, notes = DiskArray.of([samples], np.float32), []
    with notes_to(notes.append):
        found = find_turns(array, swapper.engine.verifier, "talk.wav")
    assert wrong(found, true) < 0.03 and notes == []
    assert found[0].speaker == 1 and found[0].start == 0
    assert found[-1].end == pytest.approx(len(samples) / RATE)
    assert all(a.end == b.start and a.speaker != b.speaker for a, b in pairwise(found))


@pytest.mark.parametrize(("guest", "host"), [(2, 5), (6, 7)])
def test_who_only_asks_is_found_beside_who_answers(swapper, people, guest, host):
    one, *more = [read_audio(path, RATE)[: 7 * RATE] for path in people[guest][:8]]
    first, second = (read_audio(path, RATE)[: 2 * RATE] for path in people[host][:2])
    samples, true = in_turns(one, first, np.concatenate(more[:3]), second, np.concatenate(more[3:]))
    array = DiskArray.of([samples], np.float32)
    assert wrong(find_turns(array, swapper.engine.verifier, "talk.wav"), true) < 0.03


def test_music_is_not_taken_for_one_of_the_two(swapper, hello, goodbye):
    times = np.arange(6 * RATE) / RATE
    music = sum(
        np.sin(2 * np.pi * 220 * 2 ** (step / 12) * harmonic * times) / harmonic
        for step in (0, 4, 7, 12)
        for harmonic in range(1, 8)
    ) * np.exp(-4 * (2 * times % 1))
    samples, true = in_turns(hello, goodbye, hello, goodbye)
    array, notes = DiskArray.of([0.05 / music.std() * music, samples], np.float32), []
    with notes_to(notes.append):
        found = find_turns(array, swapper.engine.verifier, "talk.wav")
    moved = [Turn(turn.start - 6, turn.end - 6, turn.speaker) for turn in found]
    turned = [replace(turn, speaker=3 - turn.speaker) for turn in true]  # music is somebody's
    assert min(wrong(moved, true), wrong(moved, turned)) < 0.03
    assert [one for one in notes if re.search(r"at 0–[67] s neither of the two seems", one)]


def test_a_turn_too_short_goes_to_those_around_it():
    noise = np.random.default_rng(0).standard_normal(6 * RATE).astype(np.float32)
    noise[2 * RATE : 2 * RATE + 400] = 0  # nearest to both changes of a word of 0.1 s
    samples = DiskArray.of([noise], np.float32)
    for first in (False, True):
        second = np.full(60, first)
        second[20] = second[40:] = not first
        found = turns_of(second, samples, RATE)
        assert [turn.speaker for turn in found] == [1, 2]
        assert found[1].start == pytest.approx(4, abs=0.4)
