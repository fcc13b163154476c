"""What visitors sent is removed when it is old, also while other files come and go."""

import os
import sys
import time
from pathlib import Path

import pytest
from browser import PATIENCE

from voiceswap.ui import cleanup


@pytest.fixture
def vanishing(tmp_path, monkeypatch):
    """Three old files in a folder each; the second folder vanishes when it is looked into."""
    for name in "abc":
        (tmp_path / name).mkdir()
        (tmp_path / name / "old.wav").write_bytes(b"old")
    scandir = os.scandir

    def look(path="."):
        if Path(path) == tmp_path / "b" and (tmp_path / "b").exists():
            (tmp_path / "b" / "old.wav").unlink()
            (tmp_path / "b").rmdir()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", look)
    return tmp_path


def test_old_files_and_folders_of_killed_servers_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(cleanup.tempfile, "gettempdir", lambda: str(tmp_path))
    killed = tmp_path / f"{cleanup.PREFIX}killed"
    (killed / "inside").mkdir(parents=True)
    with cleanup.temporary_files(3600) as first, cleanup.temporary_files(3600) as second:
        assert not killed.exists() and first.exists()
        (second / "hash").mkdir()
        (second / "hash" / "old.wav").write_bytes(b"x")
        cleanup.remove_old(second, 3600)
        assert (second / "hash" / "old.wav").exists()
        cleanup.remove_old(second, -1)
        cleanup.remove_old(second, -1)
        assert list(second.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_what_a_job_needs_stays_until_it_ends(tmp_path):
    source, out = tmp_path / "sent" / "talk.wav", tmp_path / "made" / "batch"
    for path in (source, source.with_name("other.wav"), out / "Anna" / "talk.wav"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), cleanup.held(source, out), cleanup.held(source):
        cleanup.remove_old(tmp_path, -1)
        left = sorted(path.name for path in tmp_path.rglob("*.wav"))
        assert left == ["talk.wav", "talk.wav"]
        _ = 1 / 0
    for _ in range(3):  # folders after what was in them
        cleanup.remove_old(tmp_path, -1)
    assert list(tmp_path.iterdir()) == []


def test_what_vanishes_meanwhile_stops_no_removal(vanishing):
    cleanup.remove_old(vanishing, -1)
    assert [path for path in vanishing.rglob("*") if path.is_file()] == []


def test_what_vanishes_meanwhile_stops_no_counting(vanishing):
    assert cleanup.bytes_below(vanishing) == 6


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_are_removed_and_what_they_lead_to_is_not(tmp_path):
    kept, folder = tmp_path / "kept", tmp_path / "uploads"
    for place in (kept, folder):
        place.mkdir()
    (kept / "file").write_bytes(b"kept")
    (folder / "link").symlink_to(kept)
    cleanup.remove_old(folder, -1)
    assert list(folder.iterdir()) == [] and (kept / "file").exists()


def test_an_error_does_not_end_the_cleaner(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(cleanup.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(cleanup, "INTERVAL", 0.01)
    real, errors = cleanup.remove_old, [OSError("once")]

    def remove_old(*arguments):
        if errors:
            raise errors.pop()
        real(*arguments)

    monkeypatch.setattr(cleanup, "remove_old", remove_old)
    with cleanup.temporary_files(-1) as folder:
        file, deadline = folder / "old.wav", time.monotonic() + PATIENCE
        file.write_bytes(b"old")
        while file.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert "can't be removed now" in caplog.text


def test_a_server_that_starts_meanwhile_takes_nothing_away(tmp_path, monkeypatch):
    monkeypatch.setattr(cleanup.tempfile, "gettempdir", lambda: str(tmp_path))
    mkdir = os.mkdir

    def mkdir_beside_another(path, *arguments, **options):
        mkdir(path, *arguments, **options)
        if cleanup.PREFIX in Path(path).name:
            cleanup._remove_abandoned(Path(path))

    monkeypatch.setattr(os, "mkdir", mkdir_beside_another)
    with cleanup.temporary_files(3600) as folder:
        assert folder.exists()
        assert sys.platform == "win32" or folder.stat().st_mode & 0o077 == 0
