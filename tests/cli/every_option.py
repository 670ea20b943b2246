"""Every option once, with a value that is not its default."""

from typing import Any

from headtohead.options.table import Options

# Every option once, with the text of its flag and the value it must arrive as (never the default).
TABLE: dict[str, tuple[str, Any]] = {
    "download": ("brats", "brats"),
    "make_phantoms": ("made/up", "made/up"),
    "view_aug": ("True", True),
    "train": ("true", True),
    "test": ("1", True),
    "compare": ("on", True),
    "report": ("True", True),
    "explore": ("True", True),
    "image_path": ("a.tif", "a.tif"),
    "root_dir": ("my/data", "my/data"),
    "cache_dir": ("my/cache", "my/cache"),
    "patient_pattern": ("P[0-9]+", "P[0-9]+"),
    "labels": ("core=1;rest=2,4", "core=1;rest=2,4"),
    "sequences": ("flair,t1", "flair,t1"),
    "mask_dir": ("my/masks", "my/masks"),
    "mask_pattern": ("P*_manual", "P*_manual"),
    "bits": ("16", "16"),
    "split": ("slice", "slice"),
    "split_seed": ("7", 7),
    "folds": ("5", "5"),
    "fold": ("2", 2),
    "fold_file": ("my/folds.csv", "my/folds.csv"),
    "image_size": ("96", 96),
    "normalise": ("unit", "unit"),
    "neighbours": ("0", 0),
    "channel_order": ("bgr", "bgr"),
    "model": ("buda", "buda"),
    "width": ("16", 16),
    "encoder_weights": ("imagenet", "imagenet"),
    "model_arguments": ("depth=4,sizes=[8,16]", ("depth=4", "sizes=[8,16]")),
    "num_epochs": ("3", 3),
    "batch_size": ("8", 8),
    "learning_rate": ("1e-3", 1e-3),
    "optimizer": ("sgd", "sgd"),
    "lr_scheduler": ("plateau", "plateau"),
    "augmentation": ("flips", "flips"),
    "test_flips": ("True", True),
    "sequence_dropout": ("0", 0.0),
    "empty_slices": ("0.5", 0.5),
    "early_stopping": ("4", 4),
    "gradient_clip": ("1.5", 1.5),
    "seed": ("42", 42),
    "models": ("buda,unet", ("buda", "unet")),
    "schedules": ("plateau", ("plateau",)),
    "seeds": ("1,2", (1, 2)),
    "model_settings": ("unet.width=8,unet.seed=1", ("unet.width=8", "unet.seed=1")),
    "margin": ("0.05", 0.05),
    "case_gifs": ("all", "all"),
    "comparison": ("mine", "mine"),
    "run_name": ("first", "first"),
    "runs_dir": ("my/runs", "my/runs"),
    "overwrite": ("True", True),
    "output": ("out", "out"),
    "threshold": ("0.3", 0.3),
    "tune_postprocessing": ("True", True),
    "export": ("onnx", "onnx"),
    "predict": ("scans", "scans"),
    "serve": ("True", True),
    "data": ("nifti", "nifti"),
    "model_path": ("bundle", "bundle"),
    "ensemble": ("True", True),
    "tta": ("True", True),
    "postprocessing": ("largest,fill", "largest,fill"),
    "half": ("True", True),
    "engine": ("onnx", "onnx"),
    "pattern": ("scan*.nii.gz", "scan*.nii.gz"),
    "channels": ("t1=0,flair=1", "t1=0,flair=1"),
    "plane": ("sagittal", "sagittal"),
    "mask_suffix": ("_brain.nii", "_brain.nii"),
    "outputs": ("0.2:_dim.nii", "0.2:_dim.nii"),
    "save_probability": ("True", True),
    "save_uncertainty": ("variance", "variance"),
    "preview": ("True", True),
    "port": ("8000", 8000),
    "gpus": ("0,1", "0,1"),
    "precision": ("bf16", "bf16"),
    "num_workers": ("2", 2),
    "print_config": ("True", True),
    "debug": ("True", True),
}

# What an option makes no sense without.
COMPANIONS = {"fold": {"folds": "7"}}
# What an option switches on besides.
FOLLOWS = {"train": {"test": True}, "download": {"data": "brats", "root_dir": "data/brats"}}


def value_of(options: Options, name: str) -> Any:
    """Find an option's value in whichever group holds it."""
    return next(getattr(group, name) for group in vars(options).values() if hasattr(group, name))
