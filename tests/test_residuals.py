"""Residuals of a voice, and their retrieval for other content."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from rates import RATE

import voiceswap.conversion.residuals as residuals_module
from voiceswap.audio import read_audio
from voiceswap.audio_io.resampling import resample
from voiceswap.conversion.mel_statistics import (
    apply_mel_affine,
    match_mel_statistics,
    speech_frames,
)
from voiceswap.conversion.residuals import (
    CONTEXT_FRAMES,
    EXCLUDED_NEIGHBOURS,
    extract_residuals,
    impute,
    join_residuals,
    retrieve,
    stack_residuals,
)
from voiceswap.conversion.voice import blend, join_voices
from voiceswap.examples import GOODBYE, HELLO
from voiceswap.models.layers import length_mask


def sounds(frames=60, stride=2, seed=0):
    """A recording of content that never repeats, with other residuals in every frame.

    The last tenth is a pause. A batch of one.
    """
    draw = torch.Generator().manual_seed(seed)
    content = torch.randn(1, 64, frames, generator=draw)
    decoded = torch.randn(1, 80, frames * stride, generator=draw)
    decoded[..., -frames * stride // 10 :] -= 20
    residuals = torch.randn(1, 80, frames, generator=draw).repeat_interleave(stride, 2)
    return content, decoded, residuals


def nearest(retrieved, residuals):
    """The frame (frames / 2,) whose residuals are most similar to each of those retrieved."""
    centred = retrieved - retrieved.mean(2, keepdim=True)
    here, there = (torch.nn.functional.normalize(x[0, :, ::2], dim=0) for x in (centred, residuals))
    return (here.T @ there).argmax(1)


def test_what_noise_covers_is_imputed():
    """Reliable parts stay; others are as decoded, with the mean of what is known of their bin."""
    _, decoded, residuals = sounds()
    natural = decoded + 3.0 + 0.1 * residuals
    assert torch.equal(impute(natural, decoded, torch.ones_like(natural)), natural)
    assert torch.allclose(impute(natural, decoded, torch.zeros_like(natural)), decoded)
    reliability = torch.ones_like(natural)
    reliability[:, 40:, ::2] = 0.0
    covered = natural + (1 - reliability)
    imputed = impute(covered, decoded, reliability)
    assert torch.equal(imputed[:, :40], natural[:, :40])
    assert torch.equal(imputed[:, 40:, 1::2], natural[:, 40:, 1::2])
    guessed = (imputed - decoded)[:, 40:, ::2]
    assert guessed.std() < 0.3 and 0.3 < guessed.mean() < 1.0  # drawn to zero: these are few


def test_the_residuals_of_a_frame_are_retrieved_for_its_content():
    content, decoded, residuals = sounds()
    kept = extract_residuals(content, decoded, decoded + residuals)
    assert kept.valid[0].nonzero()[:, 0].tolist() == list(range(54))  # no pause
    frames = torch.arange(10, 54)
    retrieved = retrieve(kept, 3 * content[..., frames], 88)  # at another level
    assert torch.equal(nearest(retrieved, residuals), frames)
    assert retrieve(kept, content, 119).shape == (1, 80, 119)
    itself = retrieve(kept, content, 120, exclude_self=True)[..., 20:108]
    # neither itself nor its neighbours
    assert ((nearest(itself, residuals) - frames).abs() > EXCLUDED_NEIGHBOURS).all()


def test_of_two_equal_frames_the_one_with_equal_neighbours_is_retrieved():
    content, decoded, residuals = sounds()
    content[..., 40] = content[..., 20]
    kept = extract_residuals(content, decoded, decoded + residuals)
    assert nearest(retrieve(kept, content, 120), residuals)[[20, 40]].tolist() == [20, 40]
    # without neighbours both have the same weight
    marks = torch.zeros_like(residuals)
    marks[..., 40:42] = 1.0
    one = extract_residuals(content, decoded, decoded + marks)
    marks[..., 80:82] = -1.0
    both = extract_residuals(content, decoded, decoded + marks)
    alone = [retrieve(kept, content[..., 20:21], 2) for kept in (one, both)]
    assert alone[0].min() > 0.05 and alone[1].abs().max() < 0.01
    assert alone[0][:, 44:].min() > 3 * alone[0][:, :36].max()  # the highs are sharper


def test_all_recordings_of_a_voice_are_searched_at_once(monkeypatch):
    """Without context from one to the next, sharper the more there are, in blocks as in one."""
    recordings = [sounds(seed=0), sounds(seed=1)]
    one, other = (extract_residuals(c, d, d + r) for c, d, r in recordings)
    both, (content, _, residuals) = join_residuals([one, other]), recordings[1]
    found = nearest(retrieve(both, content, 120), both.values.flatten(1, 2).mT)
    frames = torch.arange(54)
    assert torch.equal(found[:54], one.keys.shape[1] + CONTEXT_FRAMES + frames)
    silent = replace(other, valid=torch.zeros_like(other.valid))
    alone = retrieve(one, recordings[0][0], 120)
    torch.testing.assert_close(
        retrieve(join_residuals([one, silent]), recordings[0][0], 120), alone
    )
    many = join_residuals([one, other] * 5)
    errors = [
        (retrieve(known, content, 120) - residuals)[..., :108].abs().mean()
        for known in (many, both, one)
    ]
    assert errors[0] < 0.95 * errors[1] and errors[1] < 0.7 * errors[2]
    queries = torch.cat([item[0] for item in recordings], 2)
    whole = [retrieve(many, queries, 240, exclude) for exclude in (False, True)]
    monkeypatch.setattr(residuals_module, "BLOCK_FRAMES", 50)
    for exclude in (False, True):
        torch.testing.assert_close(retrieve(many, queries, 240, exclude), whole[exclude])


def test_recordings_with_few_or_no_frames_of_speech():
    content, decoded, residuals = sounds(EXCLUDED_NEIGHBOURS)
    natural = decoded + residuals
    one = extract_residuals(content[..., :1], decoded[..., :2], natural[..., :2])
    expected = residuals[..., :1].expand(1, 80, 8)
    torch.testing.assert_close(retrieve(one, content, 8), expected, atol=1e-2, rtol=0)
    assert torch.isfinite(retrieve(one, content[..., :1], 2, exclude_self=True)).all()
    none = replace(one, valid=torch.zeros_like(one.valid))
    assert not retrieve(none, content, 8).any()


def test_a_batch_equals_its_items():
    """Of references and of sources of different lengths, padded."""
    (content, decoded, residuals), frames = sounds(), [60, 40]
    natural, lengths = decoded + residuals, torch.tensor([2 * count for count in frames])
    batch = [x.expand(2, -1, -1).clone() for x in (content, decoded, natural)]
    for x, length in zip(batch, (40, 80, 80), strict=True):
        x[1, :, length:] = 7.0  # padding that must not count
    mask = length_mask(lengths, 120)
    kept = extract_residuals(*batch, mask)
    affine = match_mel_statistics(batch[1], batch[2], mask)
    alone = []
    for item, count in enumerate(frames):
        mels = decoded[..., : 2 * count], natural[..., : 2 * count]
        alone.append(extract_residuals(content[..., :count], *mels))
        torch.testing.assert_close(affine[item], match_mel_statistics(*mels)[0])
        for exclude in (False, True):
            expected = retrieve(alone[item], content[..., :count], 2 * count, exclude)[0]
            together = retrieve(kept, batch[0], 120, exclude)[item, :, : 2 * count]
            # The context of the last three frames is padding, with which two mel frames average.
            inside = slice(0, 2 * count - 8)
            torch.testing.assert_close(together[:, inside], expected[:, inside])
    stacked = stack_residuals(alone)
    assert stacked.keys.shape == kept.keys.shape and torch.equal(stacked.valid, kept.valid)


def test_mel_statistics_of_a_compensated_voice_are_the_references():
    content, decoded, residuals = sounds()
    natural = decoded + 3 * residuals + 1
    kept = extract_residuals(content, decoded, natural)
    compensated = decoded + retrieve(kept, content, natural.shape[-1], exclude_self=True)
    matched = apply_mel_affine(compensated, match_mel_statistics(compensated, natural))
    speech = speech_frames(natural)[0]
    torch.testing.assert_close(
        matched[0, :, speech].mean(1), natural[0, :, speech].mean(1), atol=1e-3, rtol=0
    )


def similarity(swapper, out, target):
    return float(swapper.engine.speaker_vector(resample(out, RATE, 16000)) @ target)


@pytest.fixture(params=["bundled", "people"])
def conversions(request):
    """Paths of a source, a reference, and a recording of the target to measure with.

    That of people is not the reference, whose room is no voice; in the package is one of each.
    """
    if request.param == "bundled":
        return [(HELLO, GOODBYE, GOODBYE), (GOODBYE, HELLO, HELLO)]
    people = request.getfixturevalue("people")
    pairs = zip(people[::2], people[1::2], strict=True)
    return [(recordings[0], *target[1::-1]) for recordings, target in pairs]


def test_residuals_raise_similarity_and_keep_the_content(swapper, conversions):
    gained, content = [], []
    for path, reference, other in conversions:
        source = read_audio(path, RATE)[: 8 * RATE]
        voice = swapper.embed(reference)
        target = swapper.engine.verifier(torch.from_numpy(read_audio(other, 16000)))
        outs = [swapper.convert(source, kept) for kept in (voice, replace(voice, residuals=()))]
        with_them, without = (similarity(swapper, out, target) for out in outs)
        gained.append(with_them - without)
        first, *others = (torch.from_numpy(swapper.content(wave)) for wave in (source, *outs))
        content.append(
            [float(torch.nn.functional.cosine_similarity(first, code).mean()) for code in others]
        )
    assert np.mean(gained) > 0.01
    kept, before = np.mean(content, 0)
    assert kept > before - 0.01


def test_shares_of_residuals_follow_the_blend(exact, hello_24k, goodbye_24k):
    hello, goodbye = hello_24k, goodbye_24k
    a, b = exact.embed(hello), exact.embed(goodbye)
    mix = blend([(blend([(a, 1.0), (b, 1.0)]), 0.5), (a, 0.5), (b, 0.0)])
    assert [share for _, share in mix.residuals] == pytest.approx([0.75, 0.25])
    half = exact.convert(
        hello, replace(a, residuals=((a.residuals[0][0], 0.5), (a.residuals[0][0], 0.5)))
    )
    np.testing.assert_allclose(half, exact.convert(hello, a), atol=1e-5)
    twice = blend([(a, 1.0), (exact.embed(hello), 1.0)])
    np.testing.assert_allclose(exact.convert(hello, twice), exact.convert(hello, a), atol=1e-5)


def test_more_of_a_recording_raises_similarity(swapper, hello, goodbye):
    """Against its first third alone, measured with the last."""
    for source, target in ((hello, goodbye), (goodbye, hello)):
        *references, other = [(part, 16000) for part in np.array_split(target, 3)]
        wanted = swapper.engine.speaker_vector(other[0])
        several, one = (
            similarity(swapper, swapper.convert((source, 16000), voices), wanted)
            for voices in (references, references[0])
        )
        assert several > one + 0.005


def test_more_recordings_raise_similarity(swapper, people):
    """Against the first of them alone, measured with recordings that are not among them.

    And against a blend, which takes each for a voice of its own.
    """
    gained = []
    for i, recordings in enumerate(people):
        target = people[(i + 1) % len(people)]
        references, others = target[:3], target[3:7]
        vectors = [swapper.engine.speaker_vector(read_audio(path, 16000)) for path in others]
        wanted = torch.nn.functional.normalize(torch.stack(vectors).mean(0), dim=0)
        source = read_audio(recordings[0], RATE)[: 8 * RATE]
        blended = [swapper.embed(path) for path in references]
        voice = join_voices(blended)  # as `swapper.voice` does
        several, mixed, one = (
            similarity(swapper, swapper.convert(source, given), wanted)
            for given in (voice, blended, blended[0])
        )
        gained.append((several - one, several - mixed))
    alone, mixed = np.mean(gained, 0)
    assert alone > 0.005 and mixed > 0
