"""Lists of files that somebody else made: each bad line is a failed row, and nothing escapes."""

import codecs
import csv
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import soundfile

from voiceswap.batch import Status, convert_folder
from voiceswap.errors import DataError, VoiceswapError
from voiceswap.evaluation.pairs import read_pairs
from voiceswap.examples import GOODBYE


@pytest.fixture
def failing_server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(500)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/talk.wav"
    server.shutdown()


def test_other_protocols_and_failing_stores_are_failed_rows(
    tiny, hello, goodbye, tmp_path, failing_server
):
    for name, samples in (("hello", hello), ("goodbye", goodbye)):
        soundfile.write(tmp_path / f"{name}.wav", samples, 16000)
    (tmp_path / "secret.txt").write_text("secret")
    sources = [
        "hello.wav",
        "tar://a.wav::file:///etc/passwd",
        f"zip://a.wav::{tmp_path}/a.zip",
        "reference://a.wav",
        "github://a:b@c/d.wav",
        failing_server,
    ]
    lines = "".join(f"{source},{tmp_path}/goodbye.wav\n" for source in sources)
    (tmp_path / "jobs.csv").write_text(f"source,target\n{lines}")
    report = convert_folder([tmp_path / "jobs.csv"], [], tmp_path / "out", swapper=tiny)
    statuses = [row.status for row in report.rows]
    assert statuses == [Status.CONVERTED] + [Status.FAILED] * 5
    for row in report.failures:
        assert "can't be opened" in row.error or "does not exist" in row.error
        assert row.error.endswith(".") and "\n" not in row.error
    assert "of URLs, those of file, s3" in report.rows[1].error


def test_a_spreadsheet_reads_the_names_in_a_report_none_as_a_formula(
    tiny, hello, goodbye, tmp_path
):
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "=1+1.wav", hello, 16000)
    soundfile.write(tmp_path / "goodbye.wav", goodbye, 16000)
    out = tmp_path / "out"
    convert_folder([tmp_path / "in"], [tmp_path / "goodbye.wav"], out, swapper=tiny)
    assert (out / "=1+1.wav").exists()
    assert (out / "report.csv").read_bytes().startswith(codecs.BOM_UTF8)  # or Excel guesses
    with open(out / "report.csv", newline="", encoding="utf-8-sig") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert "'=1+1.wav" in cells and not any(cell.startswith(("=", "+", "@")) for cell in cells)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "..", ".hidden", "a\\b", "c:x"])
def test_a_pairs_id_stays_in_the_output_folder(tmp_path, hello, name):
    soundfile.write(tmp_path / "a.wav", hello, 16000)
    pairs = tmp_path / "pairs.csv"
    pairs.write_text(f"id,source,target,source_text\n{name},a.wav,a.wav,hello\n")
    with pytest.raises(DataError, match="line 2: the id can't be a file's name"):
        read_pairs(pairs, tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('source\n"a.wav\n"b.wav"\n', 2, "not CSV; close the quote that opens there"),
        ('source\na.wav\n\n"b.wav\nc.wav\n', 4, "not CSV; close the quote that opens there"),
        ("sep=;\nsource\n\na.wav\nb.wav;c\n", 5, "more values than columns"),
    ],
)
def test_a_list_that_is_no_csv_is_told_by_its_line(tiny, tmp_path, text, line, problem):
    path = tmp_path / "jobs.csv"
    path.write_text(text)
    with pytest.raises(DataError) as refused:
        convert_folder(path, [GOODBYE], tmp_path / "out", swapper=tiny)
    assert str(refused.value).startswith(f"{path}, line {line}: {problem}")


def test_a_value_of_two_lines_is_told_by_the_first(tiny, tmp_path):
    path = tmp_path / "jobs.csv"
    path.write_text('source,output\n"no\nname.wav",a\nno.wav,b\n')
    report = convert_folder(path, [GOODBYE], tmp_path / "out", swapper=tiny)
    assert [row.error.partition(": ")[0] for row in report.rows] == [
        f"{path}, line {number}" for number in (2, 4)
    ]


@pytest.mark.parametrize("line", ["{", "[" * 100_000, "{" + '"source":{' * 100_000])
def test_a_line_that_is_no_json_is_named(tiny, tmp_path, line):
    path = tmp_path / "list.jsonl"
    path.write_text(f'{{"source": "a.wav"}}\n{line}\n')
    with pytest.raises(VoiceswapError, match=r"list\.jsonl, line 2: not JSON\.$"):
        convert_folder(path, [GOODBYE], tmp_path / "out", swapper=tiny)
