"""What `voiceswap evaluate` reads, and where it writes."""

import json

import pytest
from commands import refusal

from voiceswap.examples import GOODBYE, HELLO


def test_evaluations_of_other_commands_have_other_folders(tmp_path, monkeypatch):
    from voiceswap.commands.evaluate import _is_of_another_command
    from voiceswap.commands.outputs import command_line, free_names

    def folder():
        return free_names(tmp_path / "evaluation", taken=_is_of_another_command)[0].name

    (tmp_path / "evaluation").mkdir()
    assert folder() == "evaluation"  # a run that was stopped
    report = tmp_path / "evaluation/report.json"
    report.write_text(json.dumps({"command": command_line()}))
    assert folder() == "evaluation"
    for text in (json.dumps({"command": "voiceswap evaluate other.safetensors"}), "mine"):
        report.write_text(text)
        assert folder() == "evaluation-2"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--pairs", "no.csv"), "There is no list of pairs no.csv."),
        (("--asr", "whisper"), "There is no folder whisper;"),
        (("--against", "no.json"), "no.json is missing or not a report.json"),
        (("--converted", "others"), "others has no recording of the pair one, such as one.wav."),
        (("no.safetensors",), "There is no checkpoint no.safetensors."),
    ],
)
def test_what_evaluate_reads_is_looked_at_first(tmp_path, monkeypatch, capsys, options, sentence):
    from voiceswap.evaluation import report

    monkeypatch.chdir(tmp_path)
    monkeypatch.delattr(report, "load_scorers")
    (tmp_path / "pairs.csv").write_text(
        f"id,source,target,source_text\none,{HELLO.name},{GOODBYE.name},Hello.\n"
    )
    arguments = ("evaluate", "--root", HELLO.parent, "--pairs", "pairs.csv", *options)
    assert sentence in refusal(monkeypatch, capsys, *arguments)
