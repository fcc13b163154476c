"""Results are reused only where all the code is the same that they depend on."""

import ast
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data_prep import speech_check
from voiceswap import results_log
from voiceswap.evaluation import scorers
from voiceswap.results_log import ROOT, code_hash, source_files
from voiceswap.training import feature_extractor

LOADED = """
import sys, {1}
before = set(sys.modules)
import {0}
for name in sys.modules.keys() - before:
    module = sys.modules[name]
    if name.startswith(("voiceswap.", "data_prep.")) and not hasattr(module, "__path__"):
        print(module.__file__)
"""


@pytest.mark.parametrize("module", [feature_extractor, speech_check, scorers])
def test_what_a_module_loads_counts(module):
    command = [sys.executable, "-P", "-c", LOADED.format(module.__name__, module.__package__)]
    settings = {"env": os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, "check": True}
    loaded = subprocess.run(command, capture_output=True, text=True, **settings).stdout
    assert set(map(Path, loaded.splitlines())) <= source_files(module)


def test_what_features_depend_on_counts_and_what_keeps_them_does_not():
    files = {
        path.relative_to(ROOT / "voiceswap").as_posix() for path in source_files(feature_extractor)
    }
    assert {
        "results_log.py",
        "models/front_ends.py",
        "audio_io/decoding.py",
        "training/perturb.py",
    } <= files
    assert not files & {"training/cache.py", "conversion/swapper.py", "__init__.py"}


def test_a_change_of_what_is_imported_is_another_hash(tmp_path, monkeypatch):
    monkeypatch.setattr(results_log, "ROOT", tmp_path)
    (tmp_path / "voiceswap").mkdir()
    for name, text in (
        ("one", "def run():\n    from voiceswap import two"),
        ("two", "import os, voiceswap.three"),
        ("three", ""),
        ("os", ""),
    ):
        (tmp_path / f"voiceswap/{name}.py").write_text(text)
    module = type(sys)("one")
    module.__file__ = str(tmp_path / "voiceswap/one.py")
    assert {path.stem for path in source_files(module)} == {"one", "two", "three"}
    before = code_hash.__wrapped__(module)
    (tmp_path / "voiceswap/three.py").write_text("x = 1")
    assert code_hash.__wrapped__(module) != before


def test_threads_parse_one_after_another(monkeypatch):
    """Where CPython is given two sources at once, it may raise a SystemError."""
    parse, at_once, most = ast.parse, [], []

    def slow_parse(source):
        at_once.append(source)
        most.append(len(at_once))
        time.sleep(0.01)
        at_once.remove(source)
        return parse(source)

    with monkeypatch.context() as patched, ThreadPoolExecutor(4) as pool:
        patched.setattr(results_log.ast, "parse", slow_parse)
        found = list(pool.map(source_files, [results_log, scorers] * 2))
    assert found[:2] == found[2:] and max(most) == 1
