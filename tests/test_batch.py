"""The command on many small files, and what can stop it: broken files, kills, Ctrl-C, crashes, a full disk.

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
import torch
from talks import crashing_environment, outputs, report, whole, write_talks

from voiceswap.batch.names import WORK_FOLDER
from voiceswap.examples import GOODBYE

FULL = bool(os.environ.get("VOICESWAP_FULL"))


@pytest.fixture(autouse=True)
def one_thread():
    """As a worker computes: sums in another order differ in their last bit."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def arguments(model, source, out, *more) -> list[str]:
    return [
        *map(
            str,
            (
                "batch",
                source,
                "--target",
                GOODBYE,
                "--out",
                out,
                "--checkpoint",
                model,
                "--device",
                "cpu",
                *more,
            ),
        )
    ]


def start(*words: str, **settings) -> subprocess.Popen:
    """The command in a process group of its own."""
    command = [sys.executable, "-m", "voiceswap.cli", *words]
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
    shown, told = process.communicate(timeout=600)
    assert "Traceback" not in told, told
    return process.returncode, shown, told


def called(process: str) -> str:
    """The command line of a process; nothing of one that has just ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def spoil(path: Path, kind: int) -> str:
    """Break a recording; what will be said of it."""
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
        return "at least 0.3 s"
    if kind == 5:
        soundfile.write(
            path, np.where(np.arange(len(samples)) == 99, np.nan, samples), rate, "FLOAT"
        )
        return "NaN"
    path.unlink()
    path.symlink_to("nowhere.wav" if kind == 6 else path.name)
    return "does not exist" if kind == 6 else "can't be opened"


def test_a_large_folder_with_broken_files_in_it(tmp_path, model, tiny, hello):
    number, broken = (2000, 50) if FULL else (240, 16)
    paths = write_talks(tmp_path / "talks", number, hello)
    bad = {
        str(path): spoil(path, i % 8)
        for i, path in enumerate(random.Random(1).sample(paths, broken))
    }
    (tmp_path / "talks/day 0/words.txt").write_text("what is said")
    out = tmp_path / "out"
    status, shown, told = run(*arguments(model, tmp_path / "talks", out, "--jobs", "2"))
    assert status == 1 and f"{number - broken} converted, {broken} failed" in shown
    rows = report(out)
    assert len(told.splitlines()) == broken and len(rows) == number
    for path in map(str, paths):
        row = rows[path]
        assert row["status"] == ("failed" if path in bad else "converted")
        if path in bad:
            assert bad[path] in row["error"] and row["error"] in told
    made = outputs(out)
    assert set(made) == {
        path.relative_to(tmp_path / "talks").as_posix() for path in paths if str(path) not in bad
    }
    voice = tiny.voice(GOODBYE)
    for name in random.Random(2).sample(sorted(made), 5):
        alone = tiny.convert_file(
            tmp_path / "talks" / name, voice, tmp_path / "alone.wav", rate=16000, subtype="PCM_16"
        )
        assert alone.read_bytes() == made[name].read_bytes()

    before = {name: path.stat().st_mtime_ns for name, path in made.items()}
    mended, changed, lost, *_ = [
        Path(next(iter(bad))),
        *[tmp_path / "talks" / name for name in made],
    ]
    soundfile.write(mended, hello[:7000], 16000)
    os.utime(changed, (1, 1))
    made[lost.relative_to(tmp_path / "talks").as_posix()].unlink()
    assert run(*arguments(model, tmp_path / "talks", out, "--jobs", "2"))[0] == 1
    after = {name: path.stat().st_mtime_ns for name, path in outputs(out).items()}
    redone = {path.relative_to(tmp_path / "talks").as_posix() for path in (mended, changed, lost)}
    assert {name for name in after if after[name] != before.get(name)} == redone


def test_kill_9_at_random_moments_loses_nothing_and_repeats_nothing(tmp_path, model, hello):
    kills = 20 if FULL else 4
    paths = write_talks(tmp_path / "talks", 100 * kills, hello)
    out, chance = tmp_path / "out", random.Random(3)
    command = arguments(model, tmp_path / "talks", out, "--jobs", "2")
    seen: dict[str, int] = {}
    journal = out / "journal.jsonl"
    for _ in range(kills):
        process = start(*command, "--batch-size", chance.choice(["1", "4"]))
        size, patience = (
            journal.stat().st_size if journal.exists() else 0,
            time.monotonic() + chance.uniform(1, 30),
        )
        while (
            process.poll() is None
            and time.monotonic() < patience
            and not (journal.exists() and journal.stat().st_size > size)
        ):
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.5))
        process.kill()
        process.communicate()  # returns when the last of its processes has ended, for they hold its pipes
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


def test_ctrl_c_stops_cleanly_and_the_next_run_goes_on(tmp_path, model, hello):
    paths = write_talks(tmp_path / "talks", 150, hello)
    out = tmp_path / "out"
    process = start(*arguments(model, tmp_path / "talks", out, "--jobs", "2"))
    while process.poll() is None and not outputs(out):
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGSTOP)  # or it may be done before the second has begun
    second = run(*arguments(model, tmp_path / "talks", out))
    assert second[0] == 2 and "Another run is at work" in second[2]
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGCONT)
    _, told = process.communicate()
    assert (
        process.returncode == 130
        and "Traceback" not in told
        and "run the same command again" in told
    )
    assert [path.name for path in (out / WORK_FOLDER).iterdir()] == ["lock"]
    done = outputs(out)
    assert {row["status"] for row in report(out).values()} == {"converted", "not reached"} and len(
        report(out)
    ) == len(paths)
    assert 0 < len(done) < len(paths) and all(
        whole(path, tmp_path / "talks" / name) for name, path in done.items()
    )


def test_ctrl_c_while_workers_start_leaves_no_trace(tmp_path, model, hello):
    write_talks(tmp_path / "talks", 4, hello)
    process = start(*arguments(model, tmp_path / "talks", tmp_path / "out", "--jobs", "2"))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not any("spawn_main" in called(child) for child in children.read_text().split()):
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130 and told.splitlines() == [
        "Stopped. What is done is kept; run the same command again to go on."
    ]


@pytest.mark.parametrize("batch_size", ["1", "4"])
def test_a_worker_that_dies_is_replaced_and_its_file_tried_once_more(
    tmp_path, model, hello, batch_size
):
    paths = write_talks(tmp_path / "talks", 12, hello)
    poison, unlucky = (
        path.rename(path.with_name(f"{name}.wav"))
        for path, name in ((paths[3], "poison"), (paths[8], "unlucky"))
    )
    environment = crashing_environment(tmp_path)
    command = arguments(
        model, tmp_path / "talks", tmp_path / "out", "--jobs", "2", "--batch-size", batch_size
    )
    status, _, told = run(*command, env=os.environ | environment)
    assert (
        status == 1
        and len(told.splitlines()) == 1
        and "poison.wav: The process that converted it died twice" in told
    )
    assert (tmp_path / "marks/poison.wav").read_text() == "xx" and (
        tmp_path / "marks/unlucky.wav"
    ).read_text() == "x"
    rows = report(tmp_path / "out")
    assert rows[str(poison)]["status"] == "failed" and rows[str(unlucky)]["status"] == "converted"
    assert len(outputs(tmp_path / "out")) == 11


FULL_DISK = """
set -e
mount -t tmpfs -o size=600k none "$1"; shift
set +e
"$@"; echo "status $?"
find "$OUT" -path "$OUT/.voiceswap/*" -prune -o -name '*.wav' -print0 | xargs -0 -n1 soxi_frames
mount -o remount,size=60m "$OUT"
"$@"; echo "status $?"
find "$OUT" -path "$OUT/.voiceswap/*" -prune -o -name '*.wav' -print0 | xargs -0 -n1 soxi_frames
"""


def test_a_full_disk_stops_the_run_and_the_next_one_finishes(tmp_path, model, hello):
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0:
        pytest.skip("needs a file system of its own, which this user can't mount")
    write_talks(tmp_path / "talks", 60, hello)
    (tmp_path / "out").mkdir()
    (tmp_path / "frames.py").write_text(
        "import soundfile, sys\nfor p in sys.argv[1:]: assert len(soundfile.read(p)[0]) == soundfile.info(p).frames, p; print('whole', p)\n"
    )
    script = FULL_DISK.replace("soxi_frames", f"{sys.executable} {tmp_path / 'frames.py'}").replace(
        "-n1 ", ""
    )
    command = [
        sys.executable,
        "-m",
        "voiceswap.cli",
        *arguments(model, tmp_path / "talks", tmp_path / "out", "--jobs", "1"),
    ]
    environment = {**os.environ, "OUT": str(tmp_path / "out")}
    result = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", tmp_path / "out", *command],
        capture_output=True,
        text=True,
        env=environment,
    )
    _, second = result.stdout.split("status 1", 1)
    assert "The disk is full" in result.stderr and "Traceback" not in result.stderr, result.stderr
    between, end = second.split("status 0", 1)
    assert 0 < between.count("whole") < 60 and end.count("whole") == 60, result.stdout
