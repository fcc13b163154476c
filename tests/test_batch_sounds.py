"""Any recording is converted, or refused with one sentence.

VOICESWAP_FULL=1 tries more of them.
"""

import os

import numpy as np
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from talks import outputs

from voiceswap.batch import Status, convert_folder
from voiceswap.examples import GOODBYE

FULL = bool(os.environ.get("VOICESWAP_FULL"))

SOUNDS = {
    "speech": lambda n, hello: np.resize(hello, n),
    "silence": lambda n, hello: np.zeros(n),
    "offset": lambda n, hello: np.full(n, 0.7),
    "speech on an offset": lambda n, hello: 0.5 + 0.3 * np.resize(hello, n),
    "clipped": lambda n, hello: np.clip(30 * np.resize(hello, n), -1, 1),
    "over full scale": lambda n, hello: 20 * np.resize(hello, n),
    "impulse": lambda n, hello: (np.arange(n) == n // 2).astype(float),
    "noise": lambda n, hello: np.random.default_rng(0).normal(0, 0.3, n),
    "nan": lambda n, hello: np.where(np.arange(n) == n // 3, np.nan, np.resize(hello, n)),
    "infinite": lambda n, hello: np.where(np.arange(n) == n // 3, np.inf, np.resize(hello, n)),
}


@settings(deadline=None, max_examples=60 if FULL else 25)
@given(
    seconds=st.one_of(
        st.just(0.0), st.floats(0.0, 1.0), st.floats(0.3, 20.0), st.floats(0.3, 120.0)
    ),
    rate=st.one_of(
        st.sampled_from([4000, 8000, 16000, 22050, 44100, 48000, 96000, 192000]),
        st.integers(4000, 192000),
    ),
    channels=st.integers(1, 8),
    sound=st.sampled_from(sorted(SOUNDS)),
    subtype=st.sampled_from(["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"]),
)
def test_any_recording_is_converted_or_refused_in_one_sentence(
    tmp_path_factory, tiny, hello, seconds, rate, channels, sound, subtype
):
    folder = tmp_path_factory.mktemp("sound")
    frames = min(int(seconds * rate), 4_000_000 // channels)  # limits the time of an example
    wave = SOUNDS[sound](frames, hello)
    soundfile.write(folder / "in.wav", np.stack([wave] * channels, 1), rate, subtype)
    result = convert_folder(folder / "in.wav", [GOODBYE], folder / "out", swapper=tiny)
    (row,) = result.rows
    whole_numbers = subtype not in ("FLOAT", "DOUBLE")
    refused = (
        frames < 0.1 * rate
        or sound in ("silence", "offset")
        or (sound in ("nan", "infinite") and not whole_numbers)
    )
    if refused:
        assert row.status is Status.FAILED and "Error" not in row.error
        assert len(row.error.splitlines()) == 1 and row.error.endswith(".")
        assert not outputs(folder / "out")
    elif row.status is Status.FAILED:
        # NaN written as whole numbers, or a low level in 8 bits, may become silence.
        assert "silent" in row.error or "NaN" in row.error
    else:
        out, out_rate = soundfile.read(folder / "out/in.wav", always_2d=True)
        assert out_rate == rate and out.shape[1] == 1 and np.isfinite(out).all()
        assert abs(len(out) - frames) <= 1 + rate / 16000
    assert outputs(folder / "out").keys() <= {"in.wav"}
