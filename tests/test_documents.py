"""What the documents tell a reader to type can be typed."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from data_prep.__main__ import app as data_prep_app
from voiceswap.cli import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("recipes/**/*.md"),
        *ROOT.glob("voiceswap/**/*.md"),
    ]
)
PROGRAMS = {
    ("voiceswap",): get_command(app),
    ("python", "-m", "data_prep"): get_command(data_prep_app),
}


def lines(document: Path) -> Iterator[list[str]]:
    """The command lines of a document's shell blocks, each a list of words."""
    for block in re.findall(r"```sh\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            while words:
                stop = words.index("&&") if "&&" in words else len(words)
                yield words[:stop]
                words = words[stop + 1 :]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_commands_of_a_document_parse(document):
    for words in lines(document):
        for name, program in PROGRAMS.items():
            if tuple(words[: len(name)]) == name and len(words) > len(name):
                command = program.commands[words[len(name)]]
                parser = command.make_parser(
                    command.context_class(command, **command.context_settings)
                )
                parser.parse_args(words[len(name) + 1 :])  # raises on an option that there is not
        if words[:1] == ["python"] and words[1].endswith(".py"):
            assert (ROOT / words[1]).exists(), words


def test_the_readme_shows_the_commands():
    shown = {words[1] for words in lines(ROOT / "README.md") if words[:1] == ["voiceswap"]}
    assert {"demo", "swap", "convert", "ui", "batch", "train", "export", "evaluate"} <= shown


def test_the_readme_keeps_the_lines_that_ci_runs():
    promised = re.findall(
        r"^readme_has '(.*)'$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE
    )
    kept = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert promised and set(promised) <= set(kept)


def test_the_chinese_readme_agrees_with_the_english_one():
    chinese = ROOT / "README.zh-CN.md"
    assert all(words in list(lines(ROOT / "README.md")) for words in lines(chinese))
    figures, known = (
        set(re.findall(r"\b\d+\.\d+\b", path.read_text(encoding="utf-8")))
        for path in (chinese, ROOT / "README.md")
    )
    assert figures and figures <= known


def test_the_chinese_model_card_has_the_numbers_of_the_english_one():
    """In each of its sections, as the order of a sentence's words differs."""
    english, chinese = (
        [Counter(re.findall(r"\d[\d.,]*\d|\d", section)) for section in card.split("\n## ")]
        for card in (
            (ROOT / "voiceswap/weights" / name).read_text(encoding="utf-8")
            for name in ("MODEL_CARD.md", "MODEL_CARD.zh-CN.md")
        )
    )
    assert len(english) > 5 and chinese == english


def test_the_architecture_has_a_place_for_all_that_lies_in_the_package():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    folders = {f"{path.parent.name}/" for path in ROOT.glob("voiceswap/*/__init__.py")}
    files = {path.name for path in ROOT.glob("voiceswap/[!_]*.py")}
    assert {name for name in folders | files if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_links_of_a_document_lead_somewhere(document):
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (document.parent / target).exists(), target
