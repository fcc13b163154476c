"""What all training tasks share: optimisers, their steps, and the checkpoint's description."""

from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from voiceswap.errors import TrainingError
from voiceswap.features import AudioConfig
from voiceswap.learning_rate import rate_share
from voiceswap.transfer import network_on

SHOWN_CUTS = 16
WARMUP = 200  # steps


class BaseTask(lightning.LightningModule):
    """A network in training, which steps its optimisers itself.

    Lightning can't accumulate gradients under manual optimisation, so this class counts batches
    itself. Subclasses set `network_name`, and name the networks to optimise, the trained one first.

    Attributes:
        accumulate: batches whose mean gradient makes a step.
        fixed: networks that are not trained, by name. In a dictionary they are no part of the
            module, its checkpoints and its averages.
    """

    network_name: str
    accumulate = 1

    def __init__(self, audio: AudioConfig, learning_rate: float, steps: int | None):
        super().__init__()
        self.automatic_optimization = False
        self.audio, self.learning_rate, self.steps = audio, learning_rate, steps
        self.fixed: dict[str, Any] = {}

    def fixed_here(self) -> dict[str, Any]:
        """The fixed networks, on the device of the trained one."""
        return {name: network_on(network, self.device) for name, network in self.fixed.items()}

    def networks(self) -> list[nn.Module]:
        """The networks to optimise, the trained one first."""
        return [getattr(self, self.network_name)]

    def configure_optimizers(self):
        """AdamW for each network, whose rate rises over 200 steps and then falls to a twentieth.

        The schedule, a cosine, ends after `steps`, or where `trainer.max_steps` ends the run;
        Lightning counts the steps of every optimiser there.
        """
        networks = self.networks()
        steps = self.steps or self.trainer.max_steps // len(networks)
        if steps < 1:
            raise TrainingError(
                "Set trainer.max_steps or model.steps: the learning rate follows it."
            )
        return [self._optimiser_and_schedule(network, steps) for network in networks]

    def _optimiser_and_schedule(self, network: nn.Module, steps: int) -> dict[str, Any]:
        parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        fused = parameters[0].is_cuda or None  # a few kernels instead of some for every tensor
        optimiser = torch.optim.AdamW(
            parameters, self.learning_rate, betas=(0.8, 0.98), weight_decay=0.01, fused=fused
        )
        schedule = LambdaLR(optimiser, lambda step: rate_share(step, steps, WARMUP))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule}}

    def minimise(self, parts: dict[str, Tensor], **weights: Any) -> None:
        """One step of the trained network on the weighted sum of losses; `log_parts` of them.

        Args:
            parts: the losses, scalars.
            weights: of losses by name; of others it is the task's hyperparameter of that name, or
                one where there is none.
        """
        weights = {**dict.fromkeys(parts, 1.0), **self.hparams, **weights}
        loss = torch.stack([weights[name] * value for name, value in parts.items()]).sum()
        self.optimise(self.networks()[0], loss, index=0)
        self.log_parts(parts)

    def optimise(self, network: nn.Module, loss: Tensor, index: int) -> None:
        """One step of optimiser and schedule `index` on `network`, gradients clipped to norm 1.

        With `accumulate` above one, a step once in so many batches, on the mean of their gradients.
        Raises TrainingError when the loss or a gradient is not finite, before any weight is
        touched.
        """
        pairs: tuple[Any, Any] = self.optimizers(), self.lr_schedulers()
        optimiser, schedule = (pair[index] if isinstance(pair, list) else pair for pair in pairs)
        position = self._data.position if self.accumulate > 1 else 1  # of the next batch
        if position % self.accumulate == 1 % self.accumulate:
            optimiser.zero_grad()
        self.manual_backward(loss / self.accumulate)
        if not torch.isfinite(loss):  # waits for the device, which has the backward pass to do
            raise self._stop(f"The loss became {loss.item()}")
        if position % self.accumulate:
            return
        scaler = self._scaler()
        if scaler:
            scaler.unscale_(optimiser.optimizer)
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        if not scaler and not torch.isfinite(norm):  # a scaler skips such a step and scales less
            raise self._stop(f"The gradient's norm became {norm.item()}")
        optimiser.step()
        schedule.step()

    def forget_batches(self, batches: int) -> None:
        """Undo what was counted of batches whose gradients no step has used."""

    def log_parts(self, parts: dict[str, Tensor]) -> None:
        """Log the parts of the loss."""
        self.log_dict({f"train/{name}": value for name, value in parts.items()}, prog_bar=True)

    def on_validation_model_zero_grad(self) -> None:
        """Keep the gradients of accumulated batches: a validation may come between them."""

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Describe the network, so that export can build it again without running code."""
        network: Any = getattr(self, self.network_name)
        description = {"audio": self.audio.to_dict(), "architecture": network.architecture}
        checkpoint["voiceswap"] = {self.network_name: description}

    @property
    def _data(self) -> Any:
        return getattr(self.trainer, "datamodule", None)

    def _scaler(self) -> Any:
        """What keeps half-precision gradients from vanishing, with precision 16-mixed on a GPU."""
        plugin = self._trainer.precision_plugin if self._trainer else None
        return getattr(plugin, "scaler", None)

    def _stop(self, what: str) -> TrainingError:
        saved = getattr(self.trainer.checkpoint_callback, "last_model_path", "") or "none yet"
        cuts = self._data.cuts_served() if self._data else []
        more = " and others" if len(cuts) > SHOWN_CUTS else ""
        held = f"; the batch held {', '.join(cuts[:SHOWN_CUTS])}{more}" if cuts else ""
        step = self.trainer.global_step
        return TrainingError(f"{what} at step {step}; the last good checkpoint is {saved}{held}.")
