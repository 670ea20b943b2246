"""The recorder hands each case on whole, once, as soon as it is over."""

import numpy as np
import torch

from headtohead.learning.recording import CaseRecorder


def test_cases_come_whole_and_in_order() -> None:
    rng = np.random.default_rng(0)
    volumes = {4: rng.random((2, 5, 6, 7), np.float32), 2: rng.random((2, 3, 4, 4), np.float32)}
    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def finish(case: int, prediction: np.ndarray, probability: np.ndarray) -> None:
        assert case not in found
        found[case] = (prediction, probability)

    recorder = CaseRecorder(finish)
    for case, volume in volumes.items():
        for part in np.array_split(volume.swapaxes(0, 1), 2):
            probability = torch.from_numpy(part)
            recorder.add(torch.full((len(part),), case), probability >= 0.5, probability)
        assert case not in found, "its last slice may still come"
    recorder.close()
    recorder.close()
    assert list(found) == [4, 2]
    for case, volume in volumes.items():
        assert (found[case][1] == volume).all()
        assert (found[case][0] == (volume >= 0.5)).all()
