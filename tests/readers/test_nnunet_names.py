"""Channels that are no sequences have the same names in training and in prediction."""

import json
from pathlib import Path

from headtohead.readers.nnunet import channel_names, sequences_of


def test_any_channel_is_found_by_the_name_it_was_trained_under(tmp_path: Path) -> None:
    for names in (["A", "noNorm", "Flair"], ["zscore", "zscore"], ["T1w", "T1Gd", "T2w", "FLAIR"]):
        described = {"channel_names": {str(number): name for number, name in enumerate(names)}}
        (tmp_path / "dataset.json").write_text(json.dumps(described))
        found = channel_names(tmp_path / "imagesTs")
        assert tuple(found.values()) == sequences_of(described, tmp_path) and list(found) == list(range(len(names)))
