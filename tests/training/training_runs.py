"""Helpers of the training tests: a run's config, and comparisons of its results."""

import torch
import yaml

TINY = {
    "content_width": 16,
    "speaker_width": 16,
    "speaker_blocks": 1,
    "decoder_width": 16,
    "decoder_blocks": 1,
}


def config(corpus, tmp_path, steps, trainer=None, data=None, **model):
    manifest = [str(corpus / "manifests/speakers-train.jsonl.gz")]
    settings = {
        "seed_everything": 0,
        "trainer": {
            "accelerator": "cpu",
            "max_steps": steps,
            "limit_val_batches": 1,
            "val_check_interval": 2,
            "default_root_dir": str(tmp_path),
            "enable_progress_bar": False,
            "callbacks": [
                {
                    "class_path": "ModelCheckpoint",
                    "init_args": {
                        "dirpath": str(tmp_path),
                        "every_n_train_steps": 2,
                        "save_last": True,
                        "save_top_k": -1,
                    },
                },
                {"class_path": "EMAWeightAveraging", "init_args": {"decay": 0.5}},
            ],
            **(trainer or {}),
        },
        "model": {"steps": 100, **model},
        "data": {
            "audio": {},
            "train": manifest,
            "validation": manifest,
            "cache_dir": str(corpus / "cache"),
            "views": 2,
            "batch_size": 4,
            "seconds": 1.0,
            "reference_seconds": 1.2,
            **(data or {}),
        },
    }
    path = tmp_path / f"config-{steps}.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def without_trainer(task, part: str) -> list[float]:
    """Let a task make steps by itself. Gives a part of its loss, a number a step, as it grows."""
    pairs, values = task.configure_optimizers(), []
    task.optimizers = lambda: [pair["optimizer"] for pair in pairs]
    task.lr_schedulers = lambda: [pair["lr_scheduler"]["scheduler"] for pair in pairs]
    task.manual_backward = lambda loss: loss.backward()
    task.log_dict = lambda logged, **_: values.append(float(logged[f"train/{part}"].detach()))
    return values


def same_weights(first, second) -> None:
    first, second = (torch.load(path, weights_only=True) for path in (first, second))
    assert (
        first["global_step"] == second["global_step"]
        and first["SpeechData"]["position"] == second["SpeechData"]["position"]
    )
    for part in ("state_dict", "current_model_state"):
        for name, tensor in first[part].items():
            assert torch.equal(tensor, second[part][name]), name
