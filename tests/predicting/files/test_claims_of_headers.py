"""Files are weighed by their headers: the pictures of a case together, a volume by what its header claims."""

from pathlib import Path

import pytest

from headtohead import memory
from headtohead.errors import UserError
from headtohead.predicting.files.grouping import Job
from headtohead.predicting.files.weighing import weigh
from headtohead.readers.nifti_file import open_volume
from tests.predicting.conftest import FACTS
from tests.predicting.test_large_files import claiming
from tests.predicting.test_odd_files import png_claiming


def test_pictures_that_fit_one_by_one_may_not_fit_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 600_000_000)
    files = [tmp_path / f"a_{number}.png" for number in range(1, 41)]
    for path in files:
        path.write_bytes(png_claiming(3000, 3000))
    weigh(Job("a", tuple(files[:1]), "folder", (), Path()), FACTS, "auto").refuse_unless_free()
    with pytest.raises(UserError, match=r"40 pictures of up to 3000x3000 pixels need about [\d.]+ GB, 600 MB are free"):
        weigh(Job("a", tuple(files), "folder", (), Path()), FACTS, "auto").refuse_unless_free()


def test_a_volume_beyond_every_scanner_is_damaged_though_its_file_could_hold_it(tmp_path: Path) -> None:
    path = claiming(tmp_path / "a.nii.gz", (2048, 1024, 1025))
    with path.open("ab") as file:
        file.write(bytes(2_200_000))  # packed, these might be as many voxels
    with pytest.raises(UserError, match="its header claims 2048x1024x1025 voxels, more than the file can hold"):
        open_volume(path)
