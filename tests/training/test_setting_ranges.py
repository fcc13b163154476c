"""Numbers of a training config that are out of their range."""

import pytest

from voiceswap.errors import DataError
from voiceswap.features import AudioConfig
from voiceswap.training.data import SpeechData


@pytest.mark.parametrize(
    ("setting", "value", "range"),
    [
        ("seed", -1, "from 0 to 2147483647"),
        ("seed", 2**31, "from 0 to 2147483647"),
        ("batch_size", 0, "from 1 on"),
        ("views", -1, "from 0 on"),
        ("workers", -1, "from 0 on"),
        ("jobs", 0, "from 1 on"),
        ("seconds", float("nan"), "from 0.1 on"),
        ("reference_seconds", 0.0, "from 0.1 on"),
        ("clean_share", 1.5, "from 0 to 1"),
        ("speeds", [0.9, 0.0], "from 0.1 to 10"),
        ("shares", [float("nan")], "from 0 on"),
        ("samples_rate", 0, "from 1 on"),
        ("audio.hop_length", 0, "from 1 on"),
        ("audio.f_max", -1.0, "from 0 on"),
    ],
)
def test_a_number_out_of_its_range_is_a_sentence(tmp_path, setting, value, range):
    section, _, name = setting.rpartition(".")
    audio = AudioConfig(**{name: value} if section else {})
    settings = {} if section else {name: value}
    wrong = value[-1] if isinstance(value, list) else value
    with pytest.raises(DataError) as refused:
        SpeechData([tmp_path], [], tmp_path, audio, **settings)
    assert str(refused.value) == f"data.{setting} is {wrong}, but must be a number {range}."
