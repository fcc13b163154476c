"""Imports go one way, down the table of docs/architecture.md, and those of scripts exist."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import voiceswap

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "voiceswap"
ABOVE = {("conversion/swapper.py", "adaptation")}  # VoiceSwapper.adapt, when it is called
OF_COMMANDS = ("commands", "cli")
SCRIPTS = sorted(
    path for folder in ("benchmarks", "recipes") for path in (ROOT / folder).rglob("*.py")
)


def places() -> list[set[str]]:
    """The packages and modules of each row of the table, from the top down."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*) \|", text.partition("## Where things live")[2], re.MULTILINE)
    return [
        {name.removesuffix("/").removesuffix(".py") for name in re.findall("`([^`]*)`", row)}
        for row in rows
    ]


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports, at the top or inside functions; of this package and not."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "voiceswap":
            yield from (f"voiceswap.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} has a relative import"
            yield str(node.module)


def modules() -> list[Path]:
    return sorted(
        path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem[0] != "_"
    )


@pytest.mark.parametrize("file", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_what_is_below_it(file):
    name = file.relative_to(PACKAGE).as_posix()
    rank = {place: number for number, row in enumerate(places()) for place in row}
    own = name.partition("/")[0].removesuffix(".py")
    for module in imported(file):
        first, *rest = module.split(".")
        if first == "voiceswap" and rest and rest[0] in rank and (name, rest[0]) not in ABOVE:
            assert rank[rest[0]] >= rank[own], module
        if own not in OF_COMMANDS:
            assert first != "typer" and rest[:1] not in ([name] for name in OF_COMMANDS), module


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_script_imports_what_there_is(script):
    for node in ast.walk(ast.parse(script.read_bytes())):
        if not isinstance(node, ast.ImportFrom) or not str(node.module).startswith("voiceswap"):
            continue
        module = importlib.import_module(str(node.module))
        for alias in node.names:
            assert alias.name[0] != "_", f"{alias.name} is private"
            assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"


def test_all_that_the_package_gives_is_listed_and_there():
    assert {*voiceswap.__all__} <= {*dir(voiceswap)}
    assert all(hasattr(voiceswap, name) for name in voiceswap.__all__)
