"""`voiceswap batch --ray` on a cluster of two nodes on this machine."""

import pytest
import soundfile
from sounds import relative_difference
from talks import crashes, crashing_environment, outputs, report, write_talks

from voiceswap import VoiceswapError, VoiceSwapper
from voiceswap.batch import Status, convert_folder
from voiceswap.examples import GOODBYE, HELLO

pytest.importorskip("ray")


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """The address of a cluster in a `crashing_environment`."""
    import ray
    from ray.cluster_utils import Cluster

    for name, value in crashing_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RAY_worker_niceness", "0")  # workers have low priority by default
    head = {"num_cpus": 1, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    cluster.add_node(num_cpus=1)
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()


def test_two_nodes_write_the_same_files_when_workers_die(tmp_path, model, hello, cluster):
    paths = write_talks(tmp_path / "talks", 12, hello)
    always = paths[11].rename(paths[11].with_name("crashes-always.wav"))
    once = paths[8].rename(paths[8].with_name("crashes-once.wav"))
    paths[2].write_text("not audio")
    result = convert_folder(
        tmp_path / "talks",
        [GOODBYE, HELLO],
        tmp_path / "out",
        checkpoint=model,
        ray=cluster,
        batch_size=4,
    )
    assert crashes(tmp_path, once) in (1, 2)  # it is converted to two voices
    assert crashes(tmp_path, always) == 3  # its two conversions in one batch, then each alone
    assert result.counts() == {Status.CONVERTED: 20, Status.FAILED: 4}
    rows = report(tmp_path / "out")
    assert "died twice" in rows[str(always)]["error"]
    assert "can't be read as audio" in rows[str(paths[2])]["error"]
    assert rows[str(once)]["status"] == "converted"

    with pytest.raises(VoiceswapError, match="damaged or not a safetensors file"):
        convert_folder(
            tmp_path / "talks", [GOODBYE], tmp_path / "none", checkpoint=__file__, ray=cluster
        )

    always.unlink()
    alone = convert_folder(
        tmp_path / "talks",
        [GOODBYE, HELLO],
        tmp_path / "alone",
        swapper=VoiceSwapper.load(model, "cpu"),
    )
    assert alone.counts()[Status.CONVERTED] == 20
    here, there = outputs(tmp_path / "alone"), outputs(tmp_path / "out")
    assert here.keys() == there.keys()
    for name, path in here.items():
        assert relative_difference(soundfile.read(there[name])[0], soundfile.read(path)[0]) < 1e-6
    again = convert_folder(
        tmp_path / "talks", [GOODBYE, HELLO], tmp_path / "out", checkpoint=model, jobs=1
    )
    assert again.counts() == {Status.ALREADY: 20, Status.FAILED: 2}


def test_no_cluster_is_a_sentence(tmp_path, hello):
    write_talks(tmp_path / "talks", 1, hello)
    with pytest.raises(VoiceswapError, match=r"No Ray cluster answers at nowhere:1 \("):
        convert_folder(tmp_path / "talks", [GOODBYE], tmp_path / "out", ray="nowhere:1")
