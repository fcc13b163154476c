"""The command line in the process of the tests."""

import sys

import pytest

from voiceswap import cli


def run(monkeypatch, *arguments) -> int:
    """Run `voiceswap` with arguments. Gives its exit status."""
    monkeypatch.setattr(sys, "argv", ["voiceswap", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    return exit.value.code or 0


def command(monkeypatch, *arguments) -> None:
    """Run a command that succeeds."""
    assert run(monkeypatch, *arguments) == 0


def refusal(monkeypatch, capsys, *arguments) -> str:
    """The error message of a command that fails with status 1: one line, no traceback."""
    assert run(monkeypatch, *arguments) == 1
    [line] = [line for line in capsys.readouterr().err.splitlines() if line]
    return line
