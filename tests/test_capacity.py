"""How many processes a batch has, by the cores and the memory of imagined machines."""

import os
from types import SimpleNamespace

import psutil
import pytest
import torch

from voiceswap.batch import capacity, worker_pool
from voiceswap.batch.capacity import default_jobs
from voiceswap.batch.tasks import ModelSettings


@pytest.mark.parametrize(
    ("device", "cores", "gigabytes", "jobs"),
    [
        ("cpu", 16, 80, 16),
        ("cuda", 16, 80, 8),
        ("cuda", 16, 8, 2),
        ("auto", 4, 24, 2),
        ("cuda", 16, 24, 6),
        ("cuda:1", 16, 80, 8),
        ("mps", 16, 2, 8),
        ("cuda", 1, 2, 1),
    ],
)
def test_a_gpu_has_as_many_processes_as_fit(monkeypatch, device, cores, gigabytes, jobs):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)), raising=False)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=64 << 30))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    gpu = SimpleNamespace(total_memory=gigabytes * 10**9)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: gpu)
    assert default_jobs(device) == jobs


def test_windows_and_macs_have_processes_by_their_memory_too(monkeypatch):
    """Where the system tells neither its pages nor the cores that a process may use."""
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.delattr(os, "sysconf", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=8 << 30))
    assert default_jobs("cpu") == 4


@pytest.mark.parametrize(
    ("memory", "cpu", "jobs"),
    [("max", "max 100000", 16), (str(6 << 30), "max 100000", 3), ("max", "250000 100000", 2)],
)
def test_a_container_has_processes_by_its_own_limits(monkeypatch, tmp_path, memory, cpu, jobs):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(total=64 << 30))
    monkeypatch.setattr(capacity, "CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text(f"{memory}\n")
    (tmp_path / "cpu.max").write_text(f"{cpu}\n")
    assert default_jobs("cpu") == jobs


def test_windows_waits_for_63_processes_at_most(monkeypatch):
    settings = ModelSettings("default", "cpu", None, "auto")
    assert worker_pool.ProcessPool(settings, 64).jobs == 64
    monkeypatch.setattr(worker_pool, "os", SimpleNamespace(name="nt"))
    assert worker_pool.ProcessPool(settings, 64).jobs < 63
