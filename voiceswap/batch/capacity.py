"""How many processes a machine has room for, and how many files each converts at once."""

import os
from contextlib import suppress
from pathlib import Path

import psutil

WORKER_MEMORY = 2 * 2**30  # bytes; long recordings are converted in windows
GPU_WORKER_MEMORY = int(3.5 * 2**30)  # bytes: 16 windows of a long recording, and CUDA's own
GPU_JOBS = 8  # processes that keep a GPU busy
CGROUP = Path("/sys/fs/cgroup")  # where Linux tells what a container may use


def default_jobs(device: str) -> int:
    """As many processes as there are cores and memory for, here or in this container.

    On a GPU it is one for every two cores, since each has threads that read and write, at most
    GPU_JOBS, and as many as the GPU's own memory holds.
    """
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    memory = psutil.virtual_memory().total
    with suppress(OSError, ValueError):  # no container, or one that may use all
        memory = min(memory, int((CGROUP / "memory.max").read_text(encoding="ascii")))
    with suppress(OSError, ValueError):
        time, period = map(int, (CGROUP / "cpu.max").read_text(encoding="ascii").split())
        cores = min(cores, max(1, time // period))
    jobs = min(cores, memory // WORKER_MEMORY)
    if not on_cpu(device):
        jobs = min(jobs, cores // 2, GPU_JOBS, _gpu_memory(device) // GPU_WORKER_MEMORY)
    return max(1, jobs)


def default_batch_size(device: str, ray: str | None, ray_gpus: float) -> int:
    """How many files a process converts at once."""
    from voiceswap.conversion.batching import usual_batch_size

    cpu = device == "cpu" or (not ray_gpus if ray is not None else on_cpu(device))
    return usual_batch_size("cpu" if cpu else "gpu")


def on_cpu(device: str) -> bool:
    """Whether a device, "auto" included, is the CPU here."""
    import torch

    return device == "cpu" or (device == "auto" and not torch.cuda.is_available())


def _gpu_memory(device: str) -> int:
    """Bytes of a CUDA device, or, where the GPU shares the machine's, enough for GPU_JOBS."""
    import torch

    enough = GPU_JOBS * GPU_WORKER_MEMORY
    name = "cuda" if device == "auto" else device
    if not (torch.cuda.is_available() and name.startswith("cuda")):
        return enough
    try:
        return torch.cuda.get_device_properties(name).total_memory
    except (AssertionError, RuntimeError):  # there is no such device, as a worker will tell
        return enough
