"""Other machines, imitated: Windows, shares without modes or locks, full disks."""

import ast
import errno
import ntpath
import os
import shutil
import signal
import subprocess
import sys
import warnings
import weakref
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import filelock
import pytest
import soundfile
import torch
from commands import refusal
from safetensors import SafetensorError
from talks import can_mount, write_talks

from voiceswap import VoiceswapError, cli
from voiceswap.audio_io.writing import write_audio
from voiceswap.batch import Status, convert_folder, names, storage, worker_pool
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.files import flush_to_disk, raise_write_error, whole_file
from voiceswap.models.autoencoder import Autoencoder

ROOT = Path(__file__).parents[1]


def refusing(number):
    def refuse(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.fixture
def windows_fsync(monkeypatch):
    """As Windows has it: a descriptor that is open for reading only can't be flushed."""
    fcntl = pytest.importorskip("fcntl")
    real = os.fsync

    def fsync(descriptor):
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


def test_windows_flushes_what_is_written(windows_fsync, hello, tmp_path):
    path = write_audio(tmp_path / "o.wav", hello, 16000)
    flush_to_disk(path)
    assert soundfile.info(path).frames == len(hello)


def test_windows_converts_a_folder(windows_fsync, tiny, hello, tmp_path):
    write_talks(tmp_path / "talks", 2, hello)
    report = convert_folder(tmp_path / "talks", [GOODBYE], tmp_path / "out", swapper=tiny)
    assert [row.status for row in report.rows] == [Status.CONVERTED] * 2


def test_windows_starts_workers_without_posix(monkeypatch):
    monkeypatch.setattr(worker_pool, "os", type("nt", (), {"name": "nt"}))
    monkeypatch.setattr(worker_pool.resource_tracker, "ensure_running", refusing(errno.ENOSYS))
    monkeypatch.delattr(worker_pool.signal, "pthread_sigmask", raising=False)
    with pytest.raises(KeyboardInterrupt):  # afterwards: a worker starts whole
        started = []
        with worker_pool._ctrl_c_deferred():
            signal.raise_signal(signal.SIGINT)
            started.append("a worker")
    assert started


@pytest.mark.parametrize(
    ("name", "good"),
    [("talk.wav", True), ("a:b.wav", False), ("con.wav", False), ("x/what?.wav", False)],
)
def test_windows_has_fewer_names(monkeypatch, name, good):
    assert names._stays_inside(name)
    monkeypatch.setattr(names.os, "name", "nt")
    assert names._stays_inside(name) == good


def test_windows_has_globs_with_backslashes(monkeypatch):
    files = [r"C:\talks\a.wav", r"C:\talks\day\b.wav"]
    monkeypatch.setattr(storage, "os", SimpleNamespace(sep="\\", path=ntpath))
    monkeypatch.setattr(ntpath, "isfile", files.__contains__)
    monkeypatch.setattr(storage.glob, "glob", lambda pattern, recursive: files)
    found = storage.matching(r"C:\talks\**\*.wav", skip=r"C:\out")
    assert list(found) == list(zip(files, ["a.wav", "day/b.wav"], strict=True))


def test_texts_are_in_utf_8_whatever_the_system_prefers():
    for source in [*(ROOT / "voiceswap").rglob("*.py"), *(ROOT / "data_prep").rglob("*.py")]:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and ast.unparse(node.func)
            if named and named.endswith((".read_text", ".write_text")) and "storage." not in named:
                assert "encoding" in {word.arg for word in node.keywords}, (source, node.lineno)


def test_a_share_that_refuses_modes_and_flushes_of_folders(monkeypatch, tiny, tmp_path):
    monkeypatch.setattr(os, "chmod", refusing(errno.EPERM))
    real = os.fsync

    def fsync(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    tiny.save_voice(tiny.embed(GOODBYE), tmp_path / "v.safetensors")
    report = convert_folder(HELLO, [tmp_path / "v.safetensors"], tmp_path / "out", swapper=tiny)
    assert report.exit_status == 0


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOLCK, "No locks available"), NotImplementedError("no flock")]
)
def test_a_share_without_locks_is_a_sentence(monkeypatch, tiny, tmp_path, error):
    def refuse(*arguments):
        raise error

    monkeypatch.setattr(filelock.FileLock, "_acquire", refuse)
    with pytest.raises(VoiceswapError, match=r"has no locks.*give an --out on another disk"):
        convert_folder(HELLO, [GOODBYE], tmp_path / "out", swapper=tiny)


def test_a_folder_that_vanishes_is_a_sentence(tmp_path):
    path = tmp_path / "folder" / "file.txt"
    with (
        pytest.raises(VoiceswapError, match=r"file\.txt can't be written \(No such file"),
        whole_file(path) as temporary,
    ):
        temporary.write_text("x")
        shutil.rmtree(path.parent)


FULL_DISK = """
mount -t tmpfs -o size=40k none "$OUT" && cd "$OUT" && "$PYTHON" -c "$COMMANDS"; ls -A
"""
COMMANDS = """
import contextlib, sys
from voiceswap.cli import main
for command in {!r}:
    sys.argv = ["voiceswap", *command, "--checkpoint", {!r}, "--device", "cpu"]
    with contextlib.suppress(SystemExit):
        main()
"""


@pytest.mark.skipif(not can_mount(), reason="this user can't mount a file system")
def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path, model):
    (tmp_path / "out").mkdir()
    commands = [
        ["convert", str(HELLO), "--target", str(GOODBYE), "--out", "o.wav"],
        ["voice", str(HELLO), "--out", "v.safetensors"],
        ["embed", str(HELLO), "--out", "e.npz"],
    ]
    environment = {
        "OUT": str(tmp_path / "out"),
        "PYTHON": sys.executable,
        "COMMANDS": COMMANDS.format(commands, str(model)),
    }
    result = subprocess.run(
        ["unshare", "-rm", "sh", "-c", FULL_DISK, "sh"],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    shown = " ".join(result.stderr.split())
    for name in ("o.wav", "v.safetensors", "e.npz"):
        assert f"{name} can't be written: no space left on the disk of" in shown, result.stderr
    assert "Traceback" not in shown
    assert ".voiceswap-" not in result.stdout


@pytest.mark.parametrize("number", [28, 112, 122])
def test_a_disk_with_some_room_is_full_for_a_larger_voice(tmp_path, number):
    refused = SafetensorError(f"Error while serializing: I/O error: full (os error {number})")
    with pytest.raises(VoiceswapError, match="no space left on the disk of"):
        raise_write_error(tmp_path / "v.safetensors", refused, VoiceswapError)


def test_what_a_mac_lacks_runs_on_the_cpu_and_is_a_line(monkeypatch, capsys):
    assert os.environ["PYTORCH_ENABLE_MPS_FALLBACK"] == "1"
    said = "The operator 'x' is not supported on the MPS backend and will run on the CPU."
    monkeypatch.setattr(cli, "app", lambda: warnings.warn(said, stacklevel=1))
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, kind, *place: print(
            warnings.formatwarning(message, kind, *place), end="", file=sys.stderr
        )
        cli.main()
    assert capsys.readouterr().err == f"{said}\n"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB."),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to"),  # on Windows
        MemoryError(),
    ],
)
def test_a_full_gpu_or_machine_is_a_sentence(monkeypatch, capsys, tmp_path, error):
    def full(*_):
        raise error

    monkeypatch.setattr(Autoencoder, "decode", full)
    arguments = ("convert", HELLO, "--target", GOODBYE, "--out", tmp_path / "o.wav")
    shown = refusal(monkeypatch, capsys, *arguments)
    assert "The memory of the device is full; end what else uses it" in shown
    assert not list(tmp_path.iterdir())


def test_a_batch_that_fills_a_gpu_is_let_go_and_converted_one_by_one(
    tiny, monkeypatch, hello, tmp_path
):
    encode, filled = tiny.engine.encoder.encode, []

    def limited(recordings, *progress):
        if len(recordings) > 1:
            batch = torch.zeros(1)
            filled.append(weakref.ref(batch))
            raise torch.OutOfMemoryError("CUDA out of memory.")
        assert all(batch() is None for batch in filled)
        return encode(recordings, *progress)

    monkeypatch.setattr(tiny.engine.encoder, "encode", limited)
    monkeypatch.setattr(tiny.engine, "batch_size", 2)
    write_talks(tmp_path / "talks", 2, hello)
    report = convert_folder(tmp_path / "talks", [GOODBYE], tmp_path / "out", swapper=tiny)
    assert [row.status for row in report.rows] == [Status.CONVERTED] * 2 and len(filled) == 1


class WindowsError(OSError):
    """As PyTorch raises it where a library of its own can't be loaded."""

    winerror, errno, filename = 126, errno.EINVAL, None
    strerror = 'The specified module could not be found. Error loading "c10.dll".'


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (WindowsError(), 'could not be found. Error loading "c10.dll"'),
        (OSError("cannot load library 'libsndfile.so'"), "cannot load library 'libsndfile.so'"),
        (ImportError("DLL load failed while\nimporting _C."), "DLL load failed while importing _C"),
    ],
)
def test_a_library_that_can_not_be_loaded_is_a_sentence(monkeypatch, capsys, error, told):
    monkeypatch.setattr("voiceswap.models.checkpoint.load_checkpoint", Mock(side_effect=error))
    shown = refusal(monkeypatch, capsys, "info")
    assert shown.startswith("A library can't be loaded (") and f"{told}); install" in shown
