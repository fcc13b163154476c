"""Names of a batch's outputs over several runs."""

import soundfile
from talks import outputs

from voiceswap.batch import Status, convert_folder
from voiceswap.examples import GOODBYE, HELLO


def test_a_name_belongs_to_its_line_whatever_fails(tmp_path, tiny, hello):
    """A second run, with what the first lacked, makes that alone and renames nothing."""
    soundfile.write(tmp_path / "talk.wav", hello, 16000)
    (tmp_path / "later").mkdir()
    targets = ("later", HELLO, GOODBYE)
    table = tmp_path / "m.csv"
    table.write_text("source,target\n" + "".join(f"talk.wav,{target}\n" for target in targets))
    first = convert_folder(table, [], tmp_path / "out", swapper=tiny)
    assert [row.status for row in first.rows] == [Status.FAILED, *[Status.CONVERTED] * 2]
    assert set(outputs(tmp_path / "out")) == {"talk-2.wav", "talk-3.wav"}
    soundfile.write(tmp_path / "later/anna.wav", hello, 16000)
    second = convert_folder(table, [], tmp_path / "out", swapper=tiny)
    assert [row.status for row in second.rows] == [Status.CONVERTED, *[Status.ALREADY] * 2]
    assert set(outputs(tmp_path / "out")) == {"talk.wav", "talk-2.wav", "talk-3.wav"}
