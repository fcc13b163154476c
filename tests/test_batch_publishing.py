"""Outputs take their places at the end of their conversion, and whatever came there meanwhile."""

import pytest
from talks import write_talks

from voiceswap.batch import BatchOptions, Status, convert_folder
from voiceswap.errors import VoiceswapError
from voiceswap.examples import GOODBYE


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_that_appears_during_the_run_is_kept(
    tmp_path, tiny, hello, monkeypatch, again, overwrite
):
    """Where there was nothing, and where an output of the run before was to be made again."""
    talks, out = write_talks(tmp_path / "talks", 2, hello), tmp_path / "out"
    if again:
        convert_folder(talks, [GOODBYE], out, BatchOptions(pitch_shift=2), swapper=tiny)
    mine, convert_files = out / talks[0].name, tiny.convert_files

    def meanwhile(files, progress):
        mine.write_text("mine")
        return convert_files(files, progress)

    monkeypatch.setattr(tiny, "convert_files", meanwhile)
    report = convert_folder(talks, [GOODBYE], out, swapper=tiny, overwrite=overwrite)
    statuses = [row.status for row in report.rows]
    assert statuses == [Status.CONVERTED if overwrite else Status.FAILED, Status.CONVERTED]
    assert (mine.read_bytes() == b"mine") != overwrite
    if not overwrite:
        assert f"{mine} is in the way: no run wrote it" in report.rows[0].error
        mine.unlink()
        monkeypatch.undo()
        report = convert_folder(talks, [GOODBYE], out, swapper=tiny)
        assert [row.status for row in report.rows] == [Status.CONVERTED, Status.ALREADY]


def test_a_report_that_no_run_wrote_is_kept(tmp_path, tiny, hello):
    (talk,) = write_talks(tmp_path / "talks", 1, hello)
    mine = tmp_path / "out/report.csv"
    mine.parent.mkdir()
    mine.write_text("month,sales\n")
    with pytest.raises(VoiceswapError, match="is not the report of a batch"):
        convert_folder(talk, [GOODBYE], mine.parent, swapper=tiny)
    assert mine.read_text() == "month,sales\n" and [*mine.parent.iterdir()] == [mine]
    convert_folder(talk, [GOODBYE], mine.parent, swapper=tiny, overwrite=True)
    head, rows = mine.read_text("utf-8-sig").split("\n", 1)
    quoted = '"' + head.replace(",", '";"') + '"'
    mine.write_text(f"{quoted}\n{rows}", encoding="utf-8-sig")  # as a spreadsheet may save it
    report = convert_folder(talk, [GOODBYE], mine.parent, swapper=tiny)
    assert [row.status for row in report.rows] == [Status.ALREADY]
