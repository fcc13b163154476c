"""References by telephone, as voice messages and at low bit rates, which lack bands."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from rates import RATE

from voiceswap.conversion.missing_bands import with_all_bands
from voiceswap.conversion.reading import read_recording
from voiceswap.conversion.recording_notes import MISSING_BANDS
from voiceswap.notes import Note, notes_to

BANDS = (100, 250, 500, 1000, 2000, 3000, 3400, 4000, 5000, 6000, 8000)  # Hz


def telephone(samples: np.ndarray) -> tuple[np.ndarray, int]:
    """300 to 3400 Hz at 8 kHz of samples at 16 kHz; the band falls by 24 dB an octave beside it."""
    spectrum, hertz = np.fft.rfft(samples), np.fft.rfftfreq(len(samples), 1 / 16000)
    beside = np.maximum(300 / np.maximum(hertz, 1), hertz / 3400).clip(min=1)
    return np.fft.irfft(spectrum / beside**4, len(samples))[::2].astype(np.float32), 8000


def coarsely_coded(samples: np.ndarray) -> tuple[np.ndarray, int]:
    """Nothing above 6 kHz, and from 2.5 kHz on nothing in every other 80 ms."""
    spectra = torch.stft(torch.from_numpy(samples), 512, 128, window=(w := torch.hann_window(512)),
                         return_complex=True)  # fmt: skip
    spectra[192:] = 0
    spectra[80:, torch.arange(spectra.shape[1]) // 10 % 2 == 0] = 0
    return torch.istft(spectra, 512, 128, window=w, length=len(samples)).numpy(), 16000


def levels(samples: np.ndarray) -> np.ndarray:
    """dB in bands, relative to 500 to 3000 Hz."""
    power, hertz = np.abs(np.fft.rfft(samples)) ** 2, np.fft.rfftfreq(len(samples), 1 / RATE)

    def level(low: float, high: float) -> float:
        return 10 * np.log10(power[(hertz >= low) & (hertz < high)].sum())

    bands = pairwise(BANDS)
    return np.array([level(*band) for band in bands]) - level(500, 3000)


@pytest.mark.parametrize("limited", [telephone, coarsely_coded])
@pytest.mark.parametrize("people", [("hello", "goodbye"), ("goodbye", "hello")])
def test_a_voice_has_the_bands_that_its_reference_lacks(swapper, people, limited, request):
    source, target = (request.getfixturevalue(name) for name in people)
    given = swapper.convert((source, 16000), limited(target))
    wanted = swapper.convert((source, 16000), (target, 16000))
    assert np.abs(levels(given) - levels(wanted)).max() < 10


def test_a_note_tells_of_a_guess(swapper, goodbye):
    for reference, number in ((telephone(goodbye), 1), ((goodbye, 16000), 0)):
        notes: list[Note] = []
        with notes_to(notes.append):
            swapper.voice(reference)
        assert [note.text for note in notes] == number * [MISSING_BANDS]


def test_recordings_that_lack_none_stay_as_they_are(swapper, hello, goodbye, monkeypatch):
    """Beside one that lacks some, too."""
    found = []

    def spy(autoencoder, utterance, natural, mask):
        found.append((natural, *with_all_bands(autoencoder, utterance, natural, mask)))
        return found[-1][1:]

    monkeypatch.setattr("voiceswap.conversion.engine.with_all_bands", spy)
    monkeypatch.setattr(swapper.engine, "batch_size", 2)
    pairs = [(hello, 16000), telephone(goodbye)]
    recordings = [read_recording(pair, swapper.engine.audio, RATE) for pair in pairs]
    encoded = swapper.engine.encoder.encode(recordings)
    swapper.engine.embed(encoded[:1]), swapper.engine.embed(encoded)
    for natural, filled, recorded in found:
        assert filled[0].equal(natural[0]) and (recorded[0] == 1).all()
    assert 0.3 < found[1][2][1].mean() < 0.8
