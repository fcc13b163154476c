"""The command on many small files: broken files, kills, Ctrl-C, crashes, a full disk.

VOICESWAP_FULL=1 runs the two largest tests at their full size: 2,000 files, and 20 kills.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from talks import can_mount, crashes, crashing_environment, outputs, report, whole, write_talks

from voiceswap.batch.names import WORK_FOLDER
from voiceswap.examples import GOODBYE

FULL = bool(os.environ.get("VOICESWAP_FULL"))


def arguments(model, source, out, *more) -> list[str]:
    options = ["--target", GOODBYE, "--out", out, "--checkpoint", model, "--device", "cpu"]
    return [str(argument) for argument in ("batch", source, *options, *more)]


def start(*words: str, **settings) -> subprocess.Popen:
    """The command in a process group of its own."""
    command = [sys.executable, "-m", "voiceswap", *words]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **settings,
    )


def run(*words: str, **settings) -> tuple[int, str, str]:
    """Exit status, output and errors of the command."""
    process = start(*words, **settings)
    output, errors = process.communicate(timeout=600)
    assert "Traceback" not in errors, errors
    return process.returncode, output, errors


def command_line(process: str) -> str:
    """The command line of a process; nothing of one that has just ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def damage(path: Path, kind: int) -> str:
    """Damage a recording. Returns what its error message contains."""
    rate, samples = 16000, soundfile.read(path)[0]
    if kind == 0:
        path.write_bytes(b"")
        return "is an empty file"
    if kind == 1:
        path.write_bytes(path.read_bytes()[:20])
        return "can't be read as audio"
    if kind == 2:
        path.write_text("not audio at all")
        return "can't be read as audio"
    if kind == 3:
        soundfile.write(path, samples * 0, rate)
        return "is silent"
    if kind == 4:
        soundfile.write(path, samples[:1000], rate)
        return "at least 0.1 s"
    if kind == 5:
        with_nan = np.where(np.arange(len(samples)) == 99, np.nan, samples)
        soundfile.write(path, with_nan, rate, "FLOAT")
        return "NaN"
    path.unlink()
    path.symlink_to("nowhere.wav" if kind == 6 else path.name)
    return "does not exist" if kind == 6 else "can't be opened"


def test_a_large_folder_with_broken_files_in_it(tmp_path, model, tiny, hello):
    number, broken = (2000, 50) if FULL else (120, 16)
    paths = write_talks(tmp_path / "talks", number, hello)
    chosen = random.Random(1).sample(paths, broken)
    bad = {str(path): damage(path, i % 8) for i, path in enumerate(chosen)}
    (tmp_path / "talks/day 0/notes.txt").write_text("not audio")
    out = tmp_path / "out"
    status, output, errors = run(*arguments(model, tmp_path / "talks", out, "--jobs", "2"))
    assert status == 1 and f"{number - broken} converted, {broken} failed" in output
    rows = report(out)
    assert len(errors.splitlines()) == broken and len(rows) == number
    for path in map(str, paths):
        row = rows[path]
        assert row["status"] == ("failed" if path in bad else "converted")
        if path in bad:
            assert bad[path] in row["error"] and row["error"] in errors
    made = outputs(out)
    good = [path for path in paths if str(path) not in bad]
    assert set(made) == {path.relative_to(tmp_path / "talks").as_posix() for path in good}
    voice = tiny.voice(GOODBYE)
    for name in random.Random(2).sample(sorted(made), 5):
        alone = tiny.convert_file(
            tmp_path / "talks" / name, voice, tmp_path / "alone.wav", rate=16000, subtype="PCM_16"
        )
        assert alone.read_bytes() == made[name].read_bytes()

    before = {name: path.stat().st_mtime_ns for name, path in made.items()}
    repaired = Path(next(iter(bad)))
    changed, lost, *_ = [tmp_path / "talks" / name for name in made]
    soundfile.write(repaired, hello[:7000], 16000)
    os.utime(changed, (1, 1))
    made[lost.relative_to(tmp_path / "talks").as_posix()].unlink()
    assert run(*arguments(model, tmp_path / "talks", out, "--jobs", "2"))[0] == 1
    after = {name: path.stat().st_mtime_ns for name, path in outputs(out).items()}
    redone = {path.relative_to(tmp_path / "talks").as_posix() for path in (repaired, changed, lost)}
    assert {name for name in after if after[name] != before.get(name)} == redone


def test_kill_9_at_random_moments_loses_nothing_and_repeats_nothing(tmp_path, model, hello):
    kills = 20 if FULL else 3
    paths = write_talks(tmp_path / "talks", 60 * kills, hello)
    out, chance = tmp_path / "out", random.Random(3)
    command = arguments(model, tmp_path / "talks", out, "--jobs", "2")
    seen: dict[str, int] = {}
    journal = out / "journal.jsonl"
    for _ in range(kills):
        process = start(*command, "--batch-size", chance.choice(["1", "4"]))
        size = journal.stat().st_size if journal.exists() else 0
        while process.poll() is None and not (journal.exists() and journal.stat().st_size > size):
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.5))
        process.kill()
        process.communicate()  # returns when all of its processes have ended: they hold its pipes
        for name, path in outputs(out).items():
            assert whole(path, tmp_path / "talks" / name)
            assert seen.setdefault(name, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
    assert 0 < len(seen) < len(paths)  # or the kills came too late
    assert run(*command)[0] == 0
    made = outputs(out)
    assert {tmp_path / "talks" / name for name in made} == set(paths)
    for name, path in made.items():
        assert whole(path, tmp_path / "talks" / name)
        assert seen.get(name, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
    assert [path.name for path in (out / WORK_FOLDER).iterdir()] == ["lock"]
    assert all(row["status"] in ("converted", "already done") for row in report(out).values())


@pytest.mark.skipif(os.name != "posix", reason="process groups and their signals")
def test_ctrl_c_stops_cleanly_and_the_next_run_goes_on(tmp_path, model, hello):
    paths = write_talks(tmp_path / "talks", 150, hello)
    out = tmp_path / "out"
    process = start(*arguments(model, tmp_path / "talks", out, "--jobs", "2"))
    while process.poll() is None and not outputs(out):
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGSTOP)  # otherwise it may end before the second one starts
    second = run(*arguments(model, tmp_path / "talks", out))
    assert second[0] == 2 and "Another run is at work" in second[2]
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGCONT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in errors and "run the same command again" in errors
    assert [path.name for path in (out / WORK_FOLDER).iterdir()] == ["lock"]
    done = outputs(out)
    rows = report(out)
    assert {row["status"] for row in rows.values()} == {"converted", "not reached"}
    assert len(rows) == len(paths) and 0 < len(done) < len(paths)
    assert all(whole(path, tmp_path / "talks" / name) for name, path in done.items())


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_ctrl_c_while_workers_start_prints_no_traceback(tmp_path, model, hello):
    write_talks(tmp_path / "talks", 4, hello)
    process = start(*arguments(model, tmp_path / "talks", tmp_path / "out", "--jobs", "2"))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not any("spawn_main" in command_line(child) for child in children.read_text().split()):
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate()
    message = "Stopped. What is done is kept; run the same command again to go on."
    assert process.returncode == 130 and errors.splitlines() == [message]


@pytest.mark.skipif(os.name != "posix", reason="ends a process by a signal")
@pytest.mark.parametrize("batch_size", ["1", "4"])
def test_a_worker_that_dies_is_replaced_and_its_file_tried_once_more(
    tmp_path, model, hello, batch_size
):
    paths = write_talks(tmp_path / "talks", 12, hello)
    always = paths[3].rename(paths[3].with_name("crashes-always.wav"))
    once = paths[8].rename(paths[8].with_name("crashes-once.wav"))
    options = ["--jobs", "2", "--batch-size", batch_size]
    command = arguments(model, tmp_path / "talks", tmp_path / "out", *options)
    status, _, errors = run(*command, env=os.environ | crashing_environment(tmp_path))
    assert status == 1 and len(errors.splitlines()) == 1
    assert "crashes-always.wav: The process that converted it died twice" in errors
    assert crashes(tmp_path, always) == 2 and crashes(tmp_path, once) == 1
    rows = report(tmp_path / "out")
    assert rows[str(always)]["status"] == "failed" and rows[str(once)]["status"] == "converted"
    assert len(outputs(tmp_path / "out")) == 11


FULL_DISK = """
set -e
mount -t tmpfs -o size=600k none "$1"; shift
set +e
"$@"; echo "status $?"
find "$OUT" -path "$OUT/.voiceswap/*" -prune -o -name '*.wav' -print0 | xargs -0 "$PYTHON" "$CHECK"
mount -o remount,size=60m "$OUT"
"$@"; echo "status $?"
find "$OUT" -path "$OUT/.voiceswap/*" -prune -o -name '*.wav' -print0 | xargs -0 "$PYTHON" "$CHECK"
"""

CHECK_WHOLE = """
import soundfile, sys
for path in sys.argv[1:]:
    assert len(soundfile.read(path)[0]) == soundfile.info(path).frames, path
    print('whole', path)
"""


@pytest.mark.skipif(not can_mount(), reason="this user can't mount a file system")
def test_a_full_disk_stops_the_run_and_the_next_one_finishes(tmp_path, model, hello):
    write_talks(tmp_path / "talks", 60, hello)
    (tmp_path / "out").mkdir()
    check, out = tmp_path / "check.py", tmp_path / "out"
    check.write_text(CHECK_WHOLE)
    environment = {"OUT": str(out), "PYTHON": sys.executable, "CHECK": str(check)}
    batch = arguments(model, tmp_path / "talks", out, "--jobs", "1")
    command = [sys.executable, "-m", "voiceswap", *batch]
    result = subprocess.run(
        ["unshare", "-rm", "sh", "-c", FULL_DISK, "sh", out, *command],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )
    _, second = result.stdout.split("status 1", 1)
    assert "The disk is full" in result.stderr and "Traceback" not in result.stderr, result.stderr
    between, end = second.split("status 0", 1)
    assert 0 < between.count("whole") < 60 and end.count("whole") == 60, result.stdout
