"""Odd uploads: names that want out of their folder, files that are none, cases that are two; each one line."""

import gzip
import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import nibabel
import numpy as np
import pytest

from headtohead.errors import UserError
from headtohead.serving.limits import Limits
from headtohead.serving.uploads import safe_name


def png(value: int = 0, size: tuple[int, int] = (32, 32)) -> bytes:
    return cv2.imencode(".png", np.full(size, value, np.uint8))[1].tobytes()


def nii(shape: tuple[int, ...] = (8, 8, 4)) -> bytes:
    return nibabel.Nifti1Image(np.ones(shape, np.int16), np.eye(4)).to_bytes()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.nii.gz", "a.nii.gz"),
        ("../../etc/a.nii", "a.nii"),
        ("C:\\scans\\a.tif", "a.tif"),
        ("/etc/passwd/../a.PNG", "a.PNG"),
        (".hidden.nii", "hidden.nii"),
        ("...nii.nii", "nii.nii"),
        (". .a.nii", "a.nii"),
        ("Kopf Müller (2).nii.gz", "Kopf Müller _2_.nii.gz"),
        ("Mu\u0308ller_flair.nii", "Müller_flair.nii"),
        ("a\nb\x00c;$(x)'\".nii", "a_b_c___x___.nii"),
        ("  a   b.png ", "a b.png"),
        ("脳.png", "脳.png"),
        ("\ud800x.png", "_x.png"),
    ],
)
def test_names_become_plain(name: str, expected: str) -> None:
    assert safe_name(name) == expected
    assert Path(expected).name == expected


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("", "a file without a name: this page cannot read this file type; drop .nii, .nii.gz"),
        ("..", "a file without a name: this page cannot"),
        ("dir/", "a file without a name: this page cannot"),
        ("notes.txt", "notes.txt: this page cannot read this file type"),
        ("model.ckpt", "model.ckpt: this page cannot read this file type"),
        (".nii.gz", "nii.gz: this page cannot read this file type"),
        (". .nii", "nii: this page cannot read this file type"),
        ("a" * 300 + ".nii", "a name of 304 bytes; shorten it to 200"),
        ("脳" * 80 + ".nii", "a name of 244 bytes; shorten it to 200"),
    ],
)
def test_other_names_are_refused(name: str, line: str) -> None:
    with pytest.raises(UserError) as refused:
        safe_name(name)
    assert line in str(refused.value) and len(str(refused.value)) < 200


ODD = {
    "no file": ([], "no file was sent; drop .nii"),
    "a mask alone": ([("x_mask.png", png())], "x_mask.png: its name says that it is a mask; drop its image with it"),
    "two cases": ([("a.nii", nii()), ("b.nii", nii())], "2 cases at once (a, b); drop the files of one case"),
    "two kinds": ([("a.nii", nii()), ("a.png", png())], "2 cases at once"),
    "five cases": ([(f"{name}.png", png()) for name in "abcde"], "5 cases at once (a, b, c, ...)"),
    "one name twice": ([("x/a.png", png()), ("y/A.png", png())], "A.png: two files have this name"),
    "two masks": ([("a.png", png()), ("a_mask.png", png()), ("b_mask.png", png())], "2 masks for one case (a_mask.png"),
    "a blurred mask": (
        [("a.png", png()), ("a_mask.jpg", png())],
        "a_mask.jpg: the mask of a.png must be TIFF or PNG",
    ),
    "another kind of mask": ([("a.nii", nii()), ("a_mask.png", png())], "the mask of a.nii must be NIfTI"),
    "another size of mask": ([("a.png", png()), ("mask.png", png(size=(9, 9)))], "a_mask.png: 9x9 pixels"),
    "another grid of mask": ([("a.nii", nii()), ("m_seg.nii", nii((8, 8, 5)))], "a_mask.nii: 8x8x5 voxels"),
    "an empty image": ([("a.png", b"")], "a.png: not a readable image"),
    "an empty volume": ([("a.nii.gz", b"")], "a.nii.gz: an empty file"),
    "noise": ([("a.nii.gz", b"\x1f\x8b" + b"noise" * 100)], "a.nii.gz: not a readable NIfTI file"),
    "text": ([("a.tif", b"no image")], "a.tif: not a readable image"),
    "cut short": ([("a.nii.gz", gzip.compress(nii())[:60])], "a.nii.gz: "),
    "half an image": ([("a.png", png(7, (99, 99))[:60])], "a.png: not a readable image"),
    "five axes": ([("a.nii", nii((4, 4, 4, 1, 2)))], "a.nii: 5-D"),
    "a program": ([("a.py", b"print()")], "a.py: this page cannot read this file type"),
    "slices of two sizes": ([("c_1.png", png()), ("c_2.png", png(size=(9, 9)))], "c_2.png: 9x9 pixels"),
    "slices of two kinds": ([("c_1.png", png()), ("c_2.tif", png())], "2 cases at once"),
}


@pytest.mark.parametrize("odd", ODD)
def test_odd_uploads_get_one_line(server: Any, odd: str, capfd: pytest.CaptureFixture[str]) -> None:
    files, line = ODD[odd]
    refused = server.drop(*files)
    assert refused.status == 422 and line in refused.text
    assert refused.text.count("\n") == 1 and refused.text.endswith("\n")
    assert "/tmp" not in refused.text and str(server.scratch) not in refused.text and "--predict " not in refused.text
    assert list(server.scratch.iterdir()) == []
    assert capfd.readouterr().err == ""


def test_what_is_no_form_is_refused(server: Any) -> None:
    for kind, body in (
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"noise"),
        ("text/plain", b"x"),
    ):
        refused = server.ask("POST", "/cases", body, {"Content-Type": kind})
        assert refused.status == 422 and refused.text.count("\n") == 1
    text = b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\nno file\r\n--b--\r\n'
    assert server.ask("POST", "/cases", text, {"Content-Type": "multipart/form-data; boundary=b"}).status == 422


def test_too_many_files_are_refused(start: Callable[..., Any]) -> None:
    refused = start(Limits(files=3)).drop(*((f"c_{number}.png", png()) for number in range(4)))
    assert refused.status == 422 and "Too many files" in refused.text


def test_packed_bombs_are_refused_by_their_headers(start: Callable[..., Any], engine: Any) -> None:
    server = start(Limits(voxels=10_000))
    zeros = io.BytesIO()
    with gzip.GzipFile(fileobj=zeros, mode="wb") as packed:
        packed.write(nii((30, 30, 30)))
    wide = bytearray(png())
    wide[16:24] = struct.pack(">II", 50_000, 50_000)  # the header alone lies
    for name, content in (("a.nii.gz", zeros.getvalue()), ("a.png", bytes(wide)), ("b.png", png(size=(200, 100)))):
        refused = server.drop((name, content))
        assert refused.status == 422 and refused.text.startswith(name)
        if name != "a.png":
            assert "more than 10,000 voxels in all, too many for this page" in refused.text
    slices = [(f"c_{number}.png", png(size=(80, 80))) for number in range(2)]
    assert server.drop(slices[0]).status == 200
    engine.began.clear()
    assert "more than 10,000 voxels in all" in server.drop(*slices).text
    assert not engine.began.is_set()


def test_a_mask_of_any_name_is_the_truth(server: Any, volume: Path, volume_mask: Path) -> None:
    for name in ("case7_mask.nii", "by hand_seg.nii", "Mask.nii", "case7_desc-brain_mask.nii", "mask_final.nii"):
        files = [(volume.name, volume.read_bytes()), (name, volume_mask.read_bytes())]
        found = server.drop(*files).json()
        assert found["truth"], name
    found = server.drop((volume.name, volume.read_bytes()), ("unmasked_t1.nii", volume_mask.read_bytes()))
    assert found.status == 422 and "2 cases at once" in found.text


def test_what_is_no_form_is_told_by_the_page_alone(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    for body in (b"--b\r\nnoise\r\n\r\n", b"noise"):
        assert server.ask("POST", "/cases", body, {"Content-Type": "multipart/form-data; boundary=b"}).status == 422
    assert [record for record in caplog.records if record.name.startswith("python_multipart")] == []
