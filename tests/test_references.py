"""What voices are made from: folders of one person's recordings."""

import numpy as np
import pytest
import soundfile
from talks import write_talks

from voiceswap import VoiceswapError
from voiceswap.batch import convert_folder
from voiceswap.examples import GOODBYE, HELLO


def test_a_folder_is_a_target_of_one_person(tmp_path, tiny, hello):
    write_talks(tmp_path / "talks", 2, hello)
    (tmp_path / "anna").mkdir()
    for path in (HELLO, GOODBYE):
        (tmp_path / "anna" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "list.csv").write_text(f"source,target,output\n{HELLO},anna,listed\n")
    for inputs, targets, name in (
        ("talks/day 0/talk-0000.wav", ["anna", GOODBYE], "anna/talk-0000.wav"),
        ("list.csv", [], "listed.flac"),
    ):
        result = convert_folder(
            tmp_path / inputs, [tmp_path / t for t in targets], tmp_path / "out", swapper=tiny
        )
        assert result.exit_status == 0
        source = HELLO if name == "listed.flac" else tmp_path / inputs
        expected = tiny.convert(source, [GOODBYE, HELLO], rate=soundfile.info(source).samplerate)
        samples, _ = soundfile.read(tmp_path / "out" / name)
        np.testing.assert_allclose(samples, expected, atol=1e-3)
    (tmp_path / "nobody").mkdir()
    with pytest.raises(VoiceswapError, match="no recording in the folder"):
        convert_folder(tmp_path / "talks", [tmp_path / "nobody"], tmp_path / "out", swapper=tiny)
