"""Every option of a training reaches what it is for, in a training that is stopped before its first step."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headtohead.cohort import Cohort
from headtohead.comparing.experiment import open_experiment
from headtohead.comparing.training import run_training
from headtohead.options.group import declarations
from headtohead.options.table import GROUPS


def trainer_fact(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda noted: getattr(noted["trainer"], name)


def module_fact(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda noted: noted["module"].hparams[name]


def batches_fact(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda noted: getattr(noted["batches"], name)


def first_weight(noted: dict[str, Any]) -> Any:
    return next(noted["module"].model.parameters()).flatten()[:3].tolist()


REACHES: dict[str, tuple[Any, Callable[[dict[str, Any]], Any]]] = {
    "image_size": (48, lambda noted: noted["batches"].recipe.image_size),
    "preparation": ("crop=0.2", lambda noted: noted["batches"].recipe.chain.in_words),
    "normalise": ("unit", lambda noted: noted["batches"].recipe.normalise),
    "channel_order": ("bgr", lambda noted: noted["batches"].recipe.channel_order),
    "neighbours": (0, lambda noted: noted["module"].hparams["in_channels"]),
    "inputs": ("flair+t1", lambda noted: noted["module"].hparams["in_channels"]),
    "entrant": ("ours", lambda noted: str(noted["trainer"].loggers[0].log_dir)),
    "model": ("unet", lambda noted: type(noted["module"].model).__name__),
    "width": (4, lambda noted: sum(one.numel() for one in noted["module"].model.parameters())),
    "num_epochs": (5, trainer_fact("max_epochs")),
    "batch_size": (3, batches_fact("batch_size")),
    "learning_rate": (0.5, module_fact("learning_rate")),
    "optimizer": ("sgd", module_fact("optimizer")),
    "lr_scheduler": ("plateau", module_fact("lr_scheduler")),
    "loss": ("focal", module_fact("loss")),
    "pos_weight": ("auto", module_fact("pos_weight")),
    "deep_supervision": (True, lambda noted: noted["module"].model.deep_heads is None),
    "augmentation": ("flips", batches_fact("augmentation")),
    "sequence_dropout": (0.75, batches_fact("sequence_dropout")),
    "empty_slices": (0.7, batches_fact("empty_slices")),
    "sampling": (
        "lesion_weighted",
        lambda noted: [key for batch in noted["batches"].train_dataloader().batch_sampler for key in batch],
    ),
    "test_flips": (True, batches_fact("test_flips")),
    "early_stopping": (2, lambda noted: [type(one).__name__ for one in noted["trainer"].callbacks]),
    "gradient_clip": (0.5, trainer_fact("gradient_clip_val")),
    "seed": (3, first_weight),
    "threshold": (0.4, module_fact("threshold")),
    "precision": ("bf16", trainer_fact("precision")),
    "num_workers": (2, lambda noted: noted["batches"].train_dataloader().num_workers),
    "split": ("slice", lambda noted: noted["batches"].split.test.tolist()),
    "split_seed": (1, lambda noted: noted["batches"].split.test.tolist()),
    "folds": ("3", lambda noted: noted["batches"].split.test.tolist()),
    "comparison": ("other", lambda noted: str(noted["trainer"].loggers[0].log_dir)),
    "run_name": ("mine", lambda noted: str(noted["trainer"].loggers[0].log_dir)),
}
ELSEWHERE = {
    "data": "tests/comparing/test_nifti_comparison.py",
    "root_dir": "tests/cli/test_bad_input.py",
    "cache_dir": "tests/cohort/test_pack.py",
    "patient_pattern": "tests/readers/test_patients.py",
    **dict.fromkeys(("labels", "sequences", "mask_dir", "mask_pattern", "bits"), "tests/readers/test_nifti_options.py"),
    "loggers": "tests/comparing/test_loggers.py",
    "test_postprocessing": "tests/comparing/test_volume_protocol.py",
    "fold": "tests/comparing/test_crossvalidation.py",
    "fold_file": "tests/comparing/test_crossvalidation.py",
    "encoder_weights": "tests/models/test_pretrained.py",
    "model_arguments": "tests/comparing/test_nets_of_others.py",
    **dict.fromkeys(("init_from", "freeze", "thaw_epoch", "old_layers_rate"), "tests/comparing/test_fine_tuning.py"),
    "gpus": "tests/test_machine.py",
    "debug": "tests/cli/test_verbs.py",
    "config": "tests/cli/test_config.py",
    "print_config": "tests/cli/test_config.py",
}
"""Options whose effect is under test in other files."""


def test_every_option_of_a_training_is_listed() -> None:
    groups = ("data", "input", "model", "training", "starting", "machine")
    assert {one.name for group in groups for one in declarations(GROUPS[group])} <= REACHES.keys() | ELSEWHERE.keys()
    assert all((Path(__file__).parents[2] / path).is_file() for path in ELSEWHERE.values())


@pytest.mark.parametrize("name", REACHES)
def test_option_reaches_the_training(
    name: str, options_for: Any, phantom_cohort: Cohort, tmp_path: Path, spared: dict[str, Any]
) -> None:
    value, fact = REACHES[name]
    facts = []
    for overwrite, change in ((False, {}), (True, {name: value})):
        with pytest.raises(spared["exception"]):
            run_training(open_experiment(options_for(tmp_path, overwrite=overwrite, **change), phantom_cohort))
        facts.append(fact(spared))
    assert facts[0] != facts[1]
