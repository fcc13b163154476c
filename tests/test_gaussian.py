import math

import torch
from torch.distributions import Normal, kl_divergence

from voiceswap.models.gaussian import DiagonalGaussian
from voiceswap.training.losses import info_nce, kl_with_free_bits


def random_gaussian(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return DiagonalGaussian(
        torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)
    )


def test_kl_is_that_of_torch_distributions():
    q = random_gaussian(4, 6, 10)
    expected = kl_divergence(Normal(q.mean, (0.5 * q.log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(q.kl(), expected)
    torch.testing.assert_close(kl_with_free_bits(q), expected.sum(1).mean())


def test_free_bits_cost_that_much_and_no_more():
    nearly_prior = DiagonalGaussian(torch.full((8, 5), 1e-3, requires_grad=True), torch.zeros(8, 5))
    loss = kl_with_free_bits(nearly_prior, free_nats=0.1)
    assert math.isclose(loss.item(), 0.5, rel_tol=1e-6)
    loss.backward()
    assert nearly_prior.mean.grad.abs().max() == 0


def test_padding_costs_nothing():
    q = random_gaussian(2, 3, 8)
    mask = torch.ones(2, 1, 8)
    mask[1, :, 5:] = 0
    expected = torch.cat([q.kl()[0], q.kl()[1, :, :5]], -1).sum(0).mean()
    torch.testing.assert_close(kl_with_free_bits(q, mask), expected)


def test_samples_have_the_moments_and_the_gradients_of_the_posterior():
    mean, log_variance = (
        torch.tensor([[1.5]], requires_grad=True),
        torch.tensor([[-1.0]], requires_grad=True),
    )
    generator = torch.Generator().manual_seed(0)
    count = 200_000
    z = DiagonalGaussian(mean.expand(count, 1), log_variance.expand(count, 1)).sample(generator)
    assert abs(z.mean().item() - 1.5) < 0.01 and abs(z.var().item() - math.exp(-1)) < 0.01
    z.square().mean().backward()  # E[z^2] = mean^2 + exp(log_variance)
    assert abs(mean.grad.item() - 3.0) < 0.02
    assert abs(log_variance.grad.item() - math.exp(-1)) < 0.02


def test_the_bound_lies_below_the_likelihood_and_touches_it_at_the_true_posterior():
    # z ~ N(0, 1), x | z ~ N(z, s^2): p(x) and the posterior are known.
    x, s = 0.7, 0.5
    true = Normal(0.0, math.sqrt(1 + s * s)).log_prob(torch.tensor(x)).item()

    def bound_and_importance_estimate(q):
        z = q.sample(torch.Generator().manual_seed(1))
        reconstruction = Normal(z, s).log_prob(torch.tensor(x))
        bound = (reconstruction.mean() - q.kl().mean()).item()
        weights = (
            reconstruction
            + Normal(0.0, 1.0).log_prob(z)
            - Normal(q.mean, (0.5 * q.log_variance).exp()).log_prob(z)
        )
        return bound, (weights.logsumexp(0) - math.log(len(z))).item()

    count = 100_000
    best = DiagonalGaussian(
        torch.full((count, 1), x / (1 + s * s)),
        torch.full((count, 1), math.log(s * s / (1 + s * s))),
    )
    bound, estimate = bound_and_importance_estimate(best)
    assert abs(bound - true) < 0.01 and abs(estimate - true) < 0.01
    bound, estimate = bound_and_importance_estimate(
        DiagonalGaussian(torch.full((count, 1), 0.2), torch.full((count, 1), -0.5))
    )
    assert bound < true - 0.05 and abs(estimate - true) < 0.02


def test_info_nce_is_the_cross_entropy_of_the_right_pair():
    codes = torch.eye(4)
    expected = -math.log(math.exp(10) / (math.exp(10) + 3))
    assert math.isclose(info_nce(codes, codes).item(), expected, rel_tol=1e-3)
    assert math.isclose(info_nce(torch.ones(4, 4), codes).item(), math.log(4), rel_tol=1e-5)
