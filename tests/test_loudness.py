"""The loudness of conversions: that of the source over time, whatever else the source holds."""

import numpy as np
import pytest
import scipy.signal
import soundfile
from rates import RATE

from voiceswap.audio import read_audio
from voiceswap.audio_io.resampling import resample
from voiceswap.audio_io.writing import write_audio
from voiceswap.conversion.loudness import RESAMPLED, powers_gain
from voiceswap.conversion.output import Output
from voiceswap.conversion.recording import Recording
from voiceswap.dsp.filters import high_pass, k_weighted
from voiceswap.dsp.level import frame_powers, level_of_powers
from voiceswap.dsp.limiter import TRUE_PEAK, limited_gain, true_peaks


@pytest.fixture(name="hello", scope="session")
def hello_at_its_rate(hello_24k):
    return hello_24k


@pytest.fixture(name="goodbye", scope="session")
def goodbye_at_its_rate(goodbye_24k):
    return goodbye_24k


@pytest.fixture
def both_ways(hello, goodbye, hello_voice, goodbye_voice):
    """Sources with the voice of the other one."""
    return (hello, goodbye_voice), (goodbye, hello_voice)


def db(samples):
    """Level of all samples."""
    return 10 * np.log10(np.square(samples.astype(np.float64)).mean() + 1e-14)


def scaled(samples, gain_db):
    """Samples with a gain, a number or one for every sample."""
    return (samples * 10 ** (np.asarray(gain_db) / 20)).astype(np.float32)


def speech(samples):
    """Which samples are speech: frames within 30 dB of the loudest."""
    power = frame_powers(samples, RATE)
    active = np.repeat(power > power.max() * 1e-3, RATE // 50)
    return np.pad(active, (0, len(samples) - len(active)))


def weighted(samples):
    """K-weighted, as loudness is measured, in the band that the recordings have."""
    samples = resample(resample(samples, RATE, 16000), 16000, RATE)
    return np.concatenate(list(k_weighted(iter([samples]), RATE)))


def noise(samples, level_db, seed=0):
    return scaled(np.random.default_rng(seed).standard_normal(samples), level_db)


def bang(seconds, decay):
    """A burst of noise, as loud as a file can hold."""
    burst = noise(round(seconds * RATE), 0) * np.exp(-np.arange(seconds * RATE) / RATE / decay)
    return (0.9 * burst / np.abs(burst).max()).astype(np.float32)


CLAP, BANG = bang(0.1, 0.015), bang(0.4, 0.06)


def test_a_step_stays_a_step(swapper, both_ways):
    for source, target in both_ways:
        out = swapper.convert(np.concatenate([source, scaled(source, -24)]), target)
        loud, soft = (half[speech(source)] for half in np.split(out, 2))
        assert db(loud) - db(soft) == pytest.approx(24, abs=1)


def test_a_fade_stays_a_fade(swapper, hello, goodbye_voice):
    source = np.tile(hello, 2)
    fade = np.linspace(0, -40, len(source))
    out, steady = (swapper.convert(x, goodbye_voice) for x in (scaled(source, fade), source))
    for first in range(0, len(source) - RATE, RATE):
        second = slice(first, first + RATE)
        faded = db(scaled(source, fade)[second]) - db(source[second])
        assert db(out[second]) - db(steady[second]) == pytest.approx(faded, abs=1)


@pytest.mark.parametrize("seconds", [0.3, 0.45])
def test_a_louder_word_is_as_much_louder(swapper, both_ways, seconds):
    length = round(seconds * RATE)
    for source, target in both_ways:
        source = scaled(source, -14)
        power = np.convolve(np.square(source), np.ones(length), "valid")
        first = int(power.argmax())
        word = slice(first, first + length)
        louder = source.copy()
        louder[word] = scaled(louder[word], 10)
        gained = db(swapper.convert(louder, target)[word])
        assert gained - db(swapper.convert(source, target)[word]) == pytest.approx(10, abs=1)


def test_every_second_of_a_reading_is_as_loud_as_in_the_source(swapper, people):
    errors = []
    for i in range(1, 7):  # the first is noisy, and its noise is not converted
        source = read_audio(people[i][0], RATE)[: 8 * RATE]
        out = swapper.convert(source, people[i - 1][1])
        source, out = weighted(source), weighted(out)
        assert db(out[speech(source)]) == pytest.approx(db(source[speech(source)]), abs=0.5)
        for first in range(0, len(source) - RATE, RATE // 2):
            second = slice(first, first + RATE)
            if db(source[second]) > db(source[speech(source)]) - 15:
                errors.append(db(out[second]) - db(source[second]))
    assert np.abs(errors).mean() < 0.3 and np.quantile(np.abs(errors), 0.9) < 0.6


def test_pauses_are_not_louder_than_the_sources(swapper, hello, goodbye_voice):
    pause = slice(len(hello) + RATE // 2, len(hello) + 5 * RATE // 2)
    source = np.concatenate([hello, np.zeros(3 * RATE, np.float32), hello])
    assert db(swapper.convert(source, goodbye_voice)[pause]) < -75
    for level_db in (-60, -45):
        room = noise(len(source), level_db)
        assert db(swapper.convert(source + room, goodbye_voice)[pause]) < level_db + 1


def test_what_is_below_speech_does_not_count(swapper, hello, goodbye_voice):
    plain, times = swapper.convert(hello, goodbye_voice), np.arange(len(hello)) / RATE
    rumble, step = np.sin(2 * np.pi * 15 * times), times > times[-1] / 2
    for disturbance in (0.03 * rumble, 0.7 * rumble, 0.05 * step, 0.3 * step, 0.5 + 0 * times):
        out = swapper.convert((hello + disturbance).astype(np.float32), goodbye_voice)
        difference = db(out[speech(hello)]) - db(plain[speech(hello)])
        assert difference == pytest.approx(0, abs=1)


def test_wind_does_not_count(swapper, people):
    source, voice = read_audio(people[3][0], RATE)[: 6 * RATE], swapper.voice(people[2][1])
    plain = swapper.convert(source, voice)
    air = noise(len(source), 0)
    low = np.fft.rfft(air) / (1 + (np.fft.rfftfreq(len(air), 1 / RATE) / 100) ** 4)
    gusts = np.fft.irfft(low, len(air)) * np.sin(3 * np.arange(len(air)) / RATE) ** 2
    wind = scaled(gusts, db(source) - db(gusts)).astype(np.float32)
    out = swapper.convert(source + wind, voice)
    loud = [
        slice(first, first + RATE // 2)
        for first in range(0, len(source) - RATE // 2, RATE // 2)
        if db(plain[first : first + RATE // 2]) > db(plain) - 15
    ]
    assert max(abs(db(out[part]) - db(plain[part])) for part in loud) < 1.5


def test_an_ending_while_the_voice_sounds_is_not_faded(swapper, both_ways):
    lost = []
    for source, voice in both_ways:
        whole = swapper.convert(source, voice)
        power = np.square(source.reshape(-1, 600)).mean(1)  # 25 ms
        loud = power > 0.3 * power[speech(source)[::600]].mean()
        stops = 600 * np.flatnonzero(loud[39:-1] & loud[40:])[::8] + RATE
        for stop in stops[:6]:
            out = swapper.convert(source[:stop], voice)
            lost.append(db(whole[stop - 720 : stop - 72]) - db(out[-720:-72]))  # before the fade
    assert len(lost) > 6 and abs(np.median(lost)) < 1  # 8.5 without compensation


@pytest.mark.parametrize("level_db", [-30, -40, -45])
def test_a_clap_or_a_bang_does_not_move_the_speech(swapper, hello, goodbye_voice, level_db):
    source = scaled(hello, level_db - db(hello[speech(hello)]))
    plain = swapper.convert(source, goodbye_voice)
    for sound in (CLAP, BANG):
        first = len(source) // 2
        beside = speech(source)
        beside[first - RATE // 5 : first + len(sound) + RATE // 5] = False
        disturbed = source.copy()
        disturbed[first : first + len(sound)] += sound
        out = swapper.convert(disturbed, goodbye_voice)
        assert db(out[beside]) == pytest.approx(db(plain[beside]), abs=1)


def test_a_short_word_is_no_clap(swapper, hello, goodbye_voice):
    loudest = int(np.abs(hello).argmax())
    word = hello[loudest - 1200 : loudest + 1200] * np.hanning(2400).astype(np.float32)  # 0.15 s
    silence = noise(2 * RATE, -75)
    alone = np.concatenate([silence, word, silence])
    for source, first in ((alone, 2 * RATE), (np.append(hello, alone), 2 * RATE + len(hello))):
        here = slice(first, first + len(word))
        out = swapper.convert(source, goodbye_voice)
        assert db(out[here]) == pytest.approx(db(source[here]), abs=3)


def test_the_level_of_speech_is_that_of_its_frames_within_30_db(people):
    """As it was defined when the networks were trained; and a clap does not count."""
    for recordings in people:
        samples = read_audio(recordings[0], RATE)
        power = frame_powers(samples, RATE)
        active = power[power > power.max() * 1e-3]
        assert level_of_powers(power) == pytest.approx(10 * np.log10(active.mean()), abs=0.3)
        quiet = scaled(samples, -20)
        level = level_of_powers(frame_powers(quiet, RATE))
        quiet[RATE : RATE + len(CLAP)] += CLAP
        assert level_of_powers(frame_powers(quiet, RATE)) == pytest.approx(level, abs=1)


def test_samples_are_within_full_scale(swapper, hello, goodbye_voice, tmp_path):
    for gain in (1, 4, 20):
        clipped = np.clip(hello / np.abs(hello).max() * gain, -1, 1)
        out = swapper.convert(clipped, goodbye_voice)
        assert np.abs(out).max() < 1
        resampled = swapper.convert(clipped, goodbye_voice, rate=44100)
        assert np.abs(resampled).max() <= 1
        soundfile.write(tmp_path / "clipped.wav", clipped, RATE, subtype="FLOAT")
        path = swapper.convert_file(tmp_path / "clipped.wav", goodbye_voice, tmp_path / "out.flac")
        assert np.abs(soundfile.read(path, dtype="float32")[0] - out).max() < 1e-3


def test_no_rate_and_no_lossy_format_clips_a_loud_output(swapper, hello, goodbye_voice, tmp_path):
    loud = np.tanh(8 * hello / np.abs(hello).max())
    out = swapper.convert(loud, goodbye_voice)
    assert np.abs(out).max() > 0.8
    assert np.abs(resample(out, RATE, 8 * RATE)).max() < 0.93
    for ending in ("mp3", "opus", "m4a"):
        write_audio(tmp_path / f"loud.{ending}", out, RATE)
        assert np.abs(read_audio(tmp_path / f"loud.{ending}", RATE)).max() < 1


def test_true_peaks_are_those_between_samples():
    wave = np.sin(np.pi * (np.arange(2400) / 2 + 0.25)).astype(np.float32)  # at a quarter of a rate
    np.testing.assert_allclose(true_peaks(wave, 240)[1:-1], 1, atol=0.01)
    assert np.abs(wave).max() < 0.71


def test_the_limiter_leaves_what_fits_and_keeps_the_rest_below_full_scale():
    gain_db, peaks = np.full(300, 6.0), np.full(300, 0.3)
    np.testing.assert_allclose(limited_gain(gain_db, peaks), 10**0.3)
    draw = np.random.default_rng(0)
    gain_db, peaks = draw.uniform(-6, 6, 300), draw.uniform(0.1, 2, 300)
    gain = limited_gain(gain_db, peaks)
    assert (peaks * np.maximum(gain[1:], gain[:-1])).max() < TRUE_PEAK + 1e-9
    peaks[:150] = 0.1
    free = limited_gain(gain_db, peaks)[:140]
    edges = np.pad(gain_db, 1, "edge")
    np.testing.assert_allclose(free, 10 ** ((edges[1:] + edges[:-1]) / 40)[:140])


def test_a_gain_over_time_has_no_seam(swapper, hello, goodbye):
    """Half a minute in blocks of any length is what it is at once."""
    samples = np.resize(np.concatenate([hello, scaled(goodbye, -12)]), 36 * RATE)
    blocks = list(high_pass(iter(np.array_split(samples, 7)), RATE))
    whole = np.concatenate(list(high_pass(iter([samples]), RATE)))
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-6)
    engine = swapper.engine
    analysed = resample(samples, RATE, engine.audio.sample_rate)
    recording = Recording(iter([analysed]), engine.audio, "speech")
    outputs = [Output(recording, engine.output_audio) for _ in range(2)]
    outputs[0].append(goodbye := np.resize(goodbye, len(samples)))
    for first in range(0, len(samples), 16 * RATE):
        outputs[1].append(goodbye[first : first + 16 * RATE])
    at_once, in_parts = (np.concatenate(list(output.blocks())) for output in outputs)
    np.testing.assert_array_equal(at_once, in_parts)
    gain = at_once[np.abs(goodbye) > 1e-3] / goodbye[np.abs(goodbye) > 1e-3]
    assert np.isfinite(gain).all() and (gain > 0).all()


def test_half_of_the_sources_amplitude_gets_6_db():
    power = np.square(np.abs(noise(1000, -26))).astype(np.float64)
    np.testing.assert_allclose(powers_gain(power, power, power / 4, 100.0), 6.02, atol=0.2)


@pytest.mark.parametrize("rate", [24000, 44100])
def test_an_outputs_loudness_is_in_the_band_that_resampling_leaves(rate):
    samples = noise(4 * rate, -26)
    resampled = np.concatenate(list(high_pass(iter([resample(samples, rate, 16000)]), 16000)))
    in_band = np.concatenate(list(high_pass(iter([samples]), rate, RESAMPLED * 8000)))
    assert db(in_band) == pytest.approx(db(resampled), abs=0.02) and db(samples) > db(in_band) + 1


@pytest.mark.parametrize("rate", [16000, 24000])
def test_loudness_is_weighted_as_the_standard_does(rate):
    """Against the coefficients of ITU-R BS.1770, which are for 48 kHz."""
    shelf = [1.53512485958697, -2.69169618940638, 1.19839281085285]
    shelf += [1.0, -1.69065929318241, 0.73248077421585]
    high_passed = [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]
    hertz = np.array([60, 100, 300, 997, 2000, 4000, 7000])
    expected = abs(scipy.signal.freqz_sos([shelf, high_passed], hertz, fs=48000)[1])
    times = np.arange(rate) / rate
    tones = [np.sin(2 * np.pi * f * times).astype(np.float32) for f in hertz]
    gains = [db(next(k_weighted(iter([tone]), rate))) - db(tone) for tone in tones]
    np.testing.assert_allclose(gains, 20 * np.log10(expected), atol=0.1)
