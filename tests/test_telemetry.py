"""What packages would report is off, whatever the user's environment says."""

import os
import sys

import pytest

from headtohead.telemetry import REPORTER, SWITCHES, switch_off


def test_the_environment_is_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SWITCHES:
        monkeypatch.setenv(name, "0")
    switch_off()
    assert {name: os.environ[name] for name in SWITCHES} == SWITCHES


def test_the_hub_is_told_nothing_of_the_program() -> None:
    from huggingface_hub import constants
    from huggingface_hub.utils import build_hf_headers

    assert constants.HF_HUB_DISABLE_TELEMETRY
    headers = build_hf_headers(library_name="headtohead")
    assert "torch" not in headers["user-agent"]


def test_openvino_finds_no_reporter() -> None:
    assert sys.modules[REPORTER] is None
    with pytest.raises(ModuleNotFoundError):
        __import__(REPORTER)
