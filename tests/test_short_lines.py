"""Lines of games and cuts of an editor: short, cut within words, and many of one person."""

import math

import numpy as np
import pytest
import soundfile
from commands import command, refusal

from voiceswap import AudioError, VoiceswapError, source_pitch
from voiceswap.audio_io.resampling import resample
from voiceswap.audio_io.writing import write_audio
from voiceswap.batch import BatchOptions
from voiceswap.batch.inputs import collect
from voiceswap.conversion.options import ConversionOptions
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.features import AudioConfig, extract_f0, log_f0_statistics


@pytest.fixture(scope="module", name="vowel")
def vowel_of_a_man(hello):
    """Half a second around the loudest place (samples,), 16 kHz."""
    middle = int(np.convolve(hello**2, np.ones(1600), "same").argmax())
    return hello[middle - 4000 : middle + 4000]


def db(samples):
    return 10 * np.log10(np.square(samples.astype(np.float64)).mean() + 1e-14)


@pytest.mark.parametrize("seconds", [0.1, 0.15, 0.29])
def test_a_cry_of_a_tenth_of_a_second_is_converted(swapper, vowel, goodbye, seconds):
    cry = vowel[: round(16000 * seconds)]
    out = swapper.convert((cry, 16000), (goodbye, 16000))
    assert len(out) == round(24000 * seconds) and abs(db(out) - db(cry)) < 3


def test_what_is_shorter_is_refused(swapper, vowel, goodbye, tmp_path):
    target, cry = (goodbye, 16000), vowel[:1500]
    with pytest.raises(AudioError, match=r"0\.09 s long; at least 0\.1 s"):
        swapper.convert((cry, 16000), target)
    with pytest.raises(AudioError, match=r"0\.09 s long; at least 0\.1 s"):
        swapper.convert((vowel[:1599], 16000), target)  # 0.0999 s
    soundfile.write(tmp_path / "cry.wav", vowel[:3200], 16000)
    for source in ((vowel[:3200], 16000), tmp_path / "cry.wav"):
        with pytest.raises(AudioError, match=r"0\.20 s long; at least 0\.3 s"):
            swapper.convert(source, target, strength=0.5)  # which needs a voice of it
        with pytest.raises(AudioError, match=r"0\.20 s long; at least 0\.3 s"):
            swapper.embed(source)
    with pytest.raises(AudioError, match=r"at least 0\.3 s"):
        swapper.convert_file(tmp_path / "cry.wav", target, tmp_path / "out.wav", strength=0.5)


def test_a_cut_within_a_vowel_does_not_click(swapper, vowel, goodbye):
    """The vocoder begins and ends at up to 40 % of the peak there."""
    voice = swapper.voice((goodbye, 16000))
    for first in range(0, 1600, 400):
        out = swapper.convert((vowel[first : first + 6000], 16000), voice)
        peak = np.abs(out).max()
        assert np.abs(out[[0, 1, -2, -1]]).max() < 0.002 * peak
        beside = np.abs(out[240:720]).max(), np.abs(out[-720:-240]).max()
        assert min(beside) > 0.1 * peak  # no more than the very ends is faded


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_an_output_has_as_many_samples_as_its_source(tiny, hello, goodbye, tmp_path, rate):
    """Odd numbers of them, which resampling to the model's rate rounds."""
    wave, target = resample(hello, 16000, rate), (goodbye, 16000)
    voice = tiny.voice(target)
    for frames in (rate // 3 + 1, rate // 2 + 7, rate - 3):
        part = wave[:frames]
        assert len(tiny.convert((part, rate), voice, rate=rate)) == frames
        for ending in ("wav", "ogg", "flac"):
            source, out = tmp_path / f"in.{ending}", tmp_path / f"out.{ending}"
            soundfile.write(source, part, rate)
            tiny.convert_file(source, voice, out, rate=rate)
            assert soundfile.info(out).frames == len(soundfile.read(out)[0]) == frames


@pytest.mark.parametrize(
    ("ending", "subtype"), [("wav", "PCM_U8"), ("aiff", "PCM_S8"), ("flac", "PCM_S8")]
)
def test_silence_stays_silence_in_8_bits(tmp_path, ending, subtype):
    """Rounded down, what is just below zero is a step below it: noise of -42 dB."""
    draw, file = np.random.default_rng(0), tmp_path / f"8.{ending}"
    write_audio(file, draw.normal(0, 1e-4, 8000), 8000, subtype)
    assert not soundfile.read(file)[0].any()
    loud = draw.uniform(-0.9, 0.9, 8000)
    write_audio(file, loud, 8000, subtype)
    written = soundfile.read(file)[0]
    np.testing.assert_allclose(written, loud, atol=0.51 / 128)
    assert abs(np.mean(written - loud)) < 2e-4


@pytest.fixture(scope="module", name="lines")
def lines_of_one_man(tmp_path_factory, hello):
    """Two files in a folder in a folder: calm words, and the same a fifth higher."""
    folder = tmp_path_factory.mktemp("lines")
    (folder / "hero/combat").mkdir(parents=True)
    soundfile.write(folder / "hero/calm.wav", hello, 16000)
    soundfile.write(folder / "hero/combat/shout.wav", resample(hello, 24000, 16000), 16000)
    soundfile.write(folder / "hero/silent.wav", np.zeros(16000), 16000)
    (folder / "hero/notes.txt").write_text("take 2")
    return folder / "hero"


def mean_f0(samples, rate):
    return log_f0_statistics(extract_f0(resample(samples, rate, 16000), AudioConfig()))[0]


def test_a_shout_stays_higher_than_calm_words(swapper, lines, goodbye):
    voice, files = swapper.voice((goodbye, 16000)), (lines / "calm.wav", lines / "combat/shout.wav")
    own = [mean_f0(*soundfile.read(file, dtype="float32")) for file in files]
    assert own[1] - own[0] == pytest.approx(math.log(1.5), abs=0.05)
    pitch = source_pitch(lines)
    assert own[0] < pitch[0] < own[1]
    apart, middles = {}, {}
    for known in (None, pitch):
        outs = [swapper.convert(file, voice, source_pitch=known) for file in files]
        calm, shout = (mean_f0(out, swapper.sample_rate) for out in outs)
        apart[known], middles[known] = shout - calm, (shout + calm) / 2
    assert abs(apart[None]) < 0.03
    width = math.sqrt(float(voice.log_f0[1]) / pitch[1])
    assert apart[pitch] == pytest.approx(width * (own[1] - own[0]), abs=0.05)
    assert apart[pitch] > 0.2
    assert middles[pitch] == pytest.approx(float(voice.log_f0[0]), abs=0.1)


def test_without_strength_a_line_keeps_its_own_pitch(swapper, lines, goodbye):
    """Its distance from the person's pitch counts once: in its own voice it is none."""
    voice, pitch = swapper.voice((goodbye, 16000)), source_pitch(lines)
    for name in ("calm.wav", "combat/shout.wav"):
        own = mean_f0(*soundfile.read(lines / name, dtype="float32"))
        kept = swapper.convert(lines / name, voice, strength=0, source_pitch=pitch)
        assert mean_f0(kept, swapper.sample_rate) == pytest.approx(own, abs=0.05)


def test_the_pitch_of_a_person_is_that_of_all_recordings_that_can_be_used(lines):
    files = [lines / "combat/shout.wav", str(lines / "calm.wav")]
    assert source_pitch(lines) == pytest.approx(source_pitch(files), abs=1e-6)
    alone = source_pitch(HELLO)
    assert alone == pytest.approx(source_pitch([HELLO, lines / "silent.wav"]), abs=1e-6)
    assert abs(alone[0] - source_pitch(GOODBYE)[0]) > 0.2


def test_where_there_is_no_pitch_a_sentence_tells_it(lines, tmp_path, vowel):
    with pytest.raises(VoiceswapError, match=r"silent\.wav is silent\."):
        source_pitch(lines / "silent.wav")
    with pytest.raises(VoiceswapError, match=r"nowhere\.wav does not exist\."):
        source_pitch(tmp_path / "nowhere.wav")
    with pytest.raises(VoiceswapError, match="no recording in the folder"):
        source_pitch(tmp_path)
    soundfile.write(tmp_path / "short.wav", vowel, 16000)
    with pytest.raises(VoiceswapError, match=r"less than 1 s of voice.*give more recordings"):
        source_pitch(tmp_path)
    with pytest.raises(VoiceswapError, match=r"nowhere\.wav does not exist\."):
        source_pitch([lines / "calm.wav", tmp_path / "nowhere.wav"])  # not left out: a typing error
    for nothing in ([], "", 5, None, [lines, None], np.zeros(16000)):
        with pytest.raises(VoiceswapError, match="give the paths of files or folders"):
            source_pitch(nothing)
    with pytest.raises(VoiceswapError, match=r"^s3://lines/a\.wav is an address; .*download it\."):
        source_pitch("s3://lines/a.wav")
    for wrong in (160, (160, 20), "160", (5.0, 0.0), (float("nan"), 0.2), (10**400, 0.2)):
        with pytest.raises(VoiceswapError, match=r"must be what voiceswap\.source_pitch"):
            ConversionOptions(source_pitch=wrong)


def test_a_pitch_may_be_a_list_or_an_array():
    for pair in ([5.0, 0.2], np.array([5.0, 0.2])):
        options = BatchOptions(source_pitch=pair)
        assert options.non_defaults() == {"source_pitch": (5.0, 0.2)}


def test_a_stream_takes_no_pitch_but_a_recording(tiny):
    with pytest.raises(VoiceswapError, match=r"no source_pitch; swapper\.enroll\(recording\)"):
        tiny.stream(tiny.sample(1), source_pitch=(5.0, 0.2))


def test_a_pitch_does_not_depend_on_the_last_bits(lines):
    """On another number of threads they differ, and a run would convert everything again."""
    assert all(value == round(value, 4) for value in source_pitch(lines / "calm.wav"))


def test_outputs_among_the_lines_are_not_of_the_one_who_speaks(
    monkeypatch, capsys, model, lines, goodbye, tmp_path
):
    """They would change the pitch, so that each run would convert everything again."""
    hero = tmp_path / "hero"
    (hero / ".old").mkdir(parents=True)
    (hero / "calm.wav").write_bytes((lines / "calm.wav").read_bytes())
    soundfile.write(hero / ".old/other.wav", goodbye, 16000)
    run = "batch", hero, "--source-voice", hero, "--target", GOODBYE, "--checkpoint", model
    for expected in ("1 converted", "1 already done"):
        command(monkeypatch, *run, "--out", hero / "out", "--jobs", 1)
        assert expected in capsys.readouterr().out
    assert source_pitch(hero) == source_pitch(hero / "calm.wav")


def test_lines_may_lie_in_a_folder_behind_a_link(lines, tmp_path):
    """As of sources; a link to a parent does not end in a circle."""
    (tmp_path / "hero").symlink_to(lines)
    (tmp_path / "again").symlink_to(tmp_path)
    assert source_pitch(tmp_path) == source_pitch(lines)


def test_the_commands_take_the_folder_of_all_lines(monkeypatch, capsys, model, lines, tmp_path):
    out, chosen = tmp_path / "out", ("--target", GOODBYE, "--checkpoint", model)
    several = "batch", lines / "calm.wav", lines / "combat/shout.wav", "--out", out, "--jobs", 1
    command(monkeypatch, *several, *chosen)
    alone = [soundfile.read(out / name)[0] for name in ("calm.wav", "shout.wav")]
    for expected in ("2 converted", "2 already done"):
        command(monkeypatch, *several, *chosen, "--source-voice", lines)
        assert expected in capsys.readouterr().out
    together = [soundfile.read(out / name)[0] for name in ("calm.wav", "shout.wav")]
    assert all(np.abs(a - b).max() > 0.01 for a, b in zip(alone, together, strict=True))
    one = "convert", lines / "calm.wav", "--out", tmp_path / "calm.wav", "--source-voice", lines
    command(monkeypatch, *one, *chosen)
    empty = tmp_path / "empty"
    empty.mkdir()
    refused = refusal(monkeypatch, capsys, *one[:4], "--source-voice", empty, *chosen)
    assert "no recording in the folder" in refused


def test_a_manifest_tells_who_speaks_in_each_line(lines, tmp_path):
    table = tmp_path / "lines.csv"
    calm, shout = lines / "calm.wav", lines / "combat/shout.wav"
    rows = f"{calm},{lines},a\n{shout},{calm}; {shout},b\n{calm},,c\n{calm},nowhere,d\n"
    table.write_text(f"source,source_voice,output\n{rows}")
    found = collect([str(table)], {"": (str(GOODBYE),)}, "", BatchOptions())
    jobs = {job.output: job for job in found}
    known = [jobs[f"{name}.wav"].options.source_pitch for name in "abc"]
    assert known[0] == pytest.approx(source_pitch(lines)) and known[2] is None
    assert known[1] == pytest.approx(known[0])
    assert "line 5: " in str(jobs["d.wav"].error) and "does not exist" in str(jobs["d.wav"].error)


def test_a_source_voice_that_can_not_be_used_is_read_once(lines, tmp_path, monkeypatch):
    """A list may name it in thousands of lines."""
    asked: list[list[str]] = []

    def measure(paths):
        asked.append(paths)
        return source_pitch(paths)

    monkeypatch.setattr("voiceswap.conversion.source_pitch.source_pitch", measure)
    table = tmp_path / "lines.csv"
    rows = [f"{lines / 'calm.wav'},{voice}" for voice in 2 * ("silent.wav", "memory://a/b.wav")]
    table.write_text("\n".join(["source,source_voice", *rows]))
    soundfile.write(tmp_path / "silent.wav", np.zeros(16000), 16000)
    found = collect([str(table)], {"": (str(GOODBYE),)}, "", BatchOptions())
    errors = [str(job.error) for job in found]
    assert len(asked) == 2 and all("silent.wav is silent." in error for error in errors[::2])
    assert all("memory://a/b.wav is an address" in error for error in errors[1::2])
