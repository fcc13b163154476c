"""What is kept of how a voice says each sound, and recalled for other words."""

from dataclasses import replace

import numpy as np
import torch

from voiceswap.audio import read_audio
from voiceswap.conversion.mel_statistics import apply_mel_affine, speech_frames
from voiceswap.conversion.residuals import BESIDE, extract_residuals, manner, recall
from voiceswap.conversion.voice import blend


def sounds(frames=60, stride=2):
    """A recording of content that never repeats, the decoder missing something else of every frame; the last tenth is a pause."""
    draw = torch.Generator().manual_seed(0)
    content = torch.randn(64, frames, generator=draw)
    rebuilt = torch.randn(80, frames * stride, generator=draw)
    rebuilt[:, -frames * stride // 10 :] -= 20
    return content, rebuilt, torch.randn(80, frames, generator=draw).repeat_interleave(stride, 1)


def nearest(recalled, missed):
    """Of which frame (frames / 2,) what is recalled resembles most what was missed."""
    here, there = (
        torch.nn.functional.normalize(x[:, ::2], dim=0)
        for x in (recalled - recalled.mean(1, keepdim=True), missed)
    )
    return (here.T @ there).argmax(1)


def test_what_was_missed_of_a_sound_is_recalled_for_that_sound():
    content, rebuilt, missed = sounds()
    exemplars = extract_residuals(content, rebuilt, rebuilt + missed)
    assert exemplars.speech.nonzero()[0].tolist() == list(range(54))  # no pause
    said = torch.arange(10, 54)
    recalled = recall(exemplars, 3 * content[:, said], 88)  # at another level
    assert torch.equal(nearest(recalled, missed), said)
    assert recall(exemplars, content, 119).shape == (80, 119)
    itself = recall(exemplars, content, 120, itself=True)[:, 20:108]
    assert (
        (nearest(itself, missed) - said).abs() > BESIDE
    ).all()  # neither itself nor its neighbours


def test_of_two_like_sounds_that_between_like_neighbours_is_recalled():
    content, rebuilt, missed = sounds()
    content[:, 40] = content[:, 20]
    exemplars = extract_residuals(content, rebuilt, rebuilt + missed)
    assert nearest(recall(exemplars, content, 120), missed)[[20, 40]].tolist() == [20, 40]
    alone = recall(
        exemplars, content[:, 20:21], 2
    )  # with nothing beside it, it is as much the one as the other
    weights = torch.linalg.lstsq(missed[:, :108:2], alone[:, :1]).solution[:, 0]
    most = weights.topk(2)
    assert sorted(most.indices.tolist()) == [20, 40] and abs(most.values[0] - most.values[1]) < 0.01


def test_a_recording_with_few_frames_of_speech_is_no_trouble():
    content, rebuilt, missed = sounds(BESIDE)
    one = extract_residuals(content[:, :1], rebuilt[:, :2], (rebuilt + missed)[:, :2])
    torch.testing.assert_close(
        recall(one, content, 8), missed[:, :1].expand(80, 8), atol=1e-2, rtol=0
    )
    assert torch.isfinite(recall(one, content[:, :1], 2, itself=True)).all()
    none = replace(one, speech=np.zeros_like(one.speech))
    assert not recall(none, content, 8).any()


def test_the_manner_gives_a_voice_what_it_lacks_of_itself():
    content, rebuilt, missed = sounds()
    natural = rebuilt + 3 * missed + 1
    exemplars, calibration = manner(content, rebuilt, natural)
    given = apply_mel_affine(
        rebuilt + recall(exemplars, content, natural.shape[-1], itself=True), calibration
    )
    speech = speech_frames(natural)
    torch.testing.assert_close(
        given[:, speech].mean(1), natural[:, speech].mean(1), atol=1e-3, rtol=0
    )


def test_exemplars_bring_a_voice_nearer_and_keep_the_words(swapper, people):
    """Told by recordings of the target other than the reference, so that it is the voice and not the room."""
    nearer, words = [], []
    for i, recordings in enumerate(people[::2]):
        source = read_audio(recordings[0], 16000)[: 8 * 16000]
        other, reference = people[2 * i + 1][:2]
        voice, judged = (
            swapper.embed(reference),
            swapper.verifier(torch.from_numpy(read_audio(other, 16000))),
        )
        outs = [swapper.convert(source, kept) for kept in (voice, replace(voice, exemplars=()))]
        with_them, without = (
            float(swapper.verifier(torch.from_numpy(out)) @ judged) for out in outs
        )
        nearer.append(with_them - without)
        said, *heard = (torch.from_numpy(swapper.content(wave)) for wave in (source, *outs))
        words.append(
            [float(torch.nn.functional.cosine_similarity(said, code).mean()) for code in heard]
        )
    assert np.mean(nearer) > 0.01
    kept, before = np.mean(words, 0)
    assert kept > before - 0.01


def test_shares_of_exemplars_follow_the_blend(swapper, hello, goodbye):
    a, b = swapper.embed(hello), swapper.embed(goodbye)
    mix = blend([(blend([(a, 1.0), (b, 1.0)]), 0.5), (a, 0.5), (b, 0.0)])
    assert [share for _, share in mix.exemplars] == [0.25, 0.25, 0.5]
    half = swapper.convert(
        hello, replace(a, exemplars=((a.exemplars[0][0], 0.5), (a.exemplars[0][0], 0.5)))
    )
    np.testing.assert_allclose(half, swapper.convert(hello, a), atol=1e-5)
    twice = blend([(a, 1.0), (swapper.embed(hello), 1.0)])
    np.testing.assert_allclose(swapper.convert(hello, twice), swapper.convert(hello, a), atol=1e-5)


def test_more_recordings_bring_a_voice_nearer(swapper, people):
    """Nearer than the first of them alone, told by a recording that was not among them."""
    nearer = []
    for i, recordings in enumerate(people[::2]):
        *references, other = people[2 * i + 1][:4]
        judged = swapper.verifier(torch.from_numpy(read_audio(other, 16000)))
        source = read_audio(recordings[0], 16000)[: 8 * 16000]
        outs = [
            swapper.convert(source, swapper.voice(heard)) for heard in (references, references[:1])
        ]
        several, one = (float(swapper.verifier(torch.from_numpy(out)) @ judged) for out in outs)
        nearer.append(several - one)
    assert np.mean(nearer) > 0.005
