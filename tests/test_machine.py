import ctypes
import os
import platform
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from headtohead import machine
from headtohead.errors import UserError


def run_python(code, **environment):
    """Run `code` in a process of its own, which finds the package as this one does."""
    path = os.pathsep.join([environment.pop("first_path", ""), *sys.path]).strip(os.pathsep)
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path} | environment,
    )


def test_importing_it_imports_nothing_heavy():
    found = run_python("import headtohead.machine, sys; print('torch' in sys.modules, 'numpy' in sys.modules)")
    assert found.stdout == "False False\n", found.stderr


class TestTuneAllocator:
    MAPPED = """
        import ctypes
        from headtohead.machine import tune_allocator
        if {tuned}:
            tune_allocator()
        libc = ctypes.CDLL(None)
        class Info(ctypes.Structure):
            names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
            _fields_ = [(name, ctypes.c_size_t) for name in names.split()]
        libc.malloc.restype, libc.mallinfo2.restype = ctypes.c_void_p, Info
        before = libc.mallinfo2().hblks
        libc.malloc(ctypes.c_size_t(64 << 20))
        print(libc.mallinfo2().hblks - before)
    """

    @pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="needs glibc 2.33")
    @pytest.mark.parametrize(("tuned", "mapped"), [(False, "1\n"), (True, "0\n")])
    def test_a_large_block_is_no_longer_mapped_by_itself(self, tuned, mapped):
        found = run_python(self.MAPPED.format(tuned=tuned))
        assert found.stdout == mapped, found.stderr

    def test_does_nothing_on_another_system(self, monkeypatch):
        monkeypatch.setattr(machine.sys, "platform", "darwin")
        monkeypatch.setattr(machine.ctypes, "CDLL", lambda name: pytest.fail("asked for the C library"))
        machine.tune_allocator()

    def test_does_nothing_with_another_c_library(self, monkeypatch):
        monkeypatch.setattr(machine.sys, "platform", "linux")
        monkeypatch.setattr(machine.ctypes, "CDLL", lambda name: object())
        machine.tune_allocator()


class TestMendTorchvision:
    BROKEN = """
        import torch
        print("loading")
        from . import half
        torch._C._dispatch_has_kernel_for_dispatch_key("torchvision::nms", "Meta")
        torch._C._dispatch_has_kernel_for_dispatch_key("torchvision::qnms", "Meta")
        whole = True
    """

    @pytest.fixture
    def broken(self, tmp_path):
        """A stand-in for torchvision that fails just as a CUDA build does beside a CPU build of PyTorch."""
        package = tmp_path / "torchvision"
        package.mkdir()
        (package / "__init__.py").write_text(textwrap.dedent(self.BROKEN))
        (package / "half.py").write_text("print('half')\n")
        return str(tmp_path)

    def test_the_stand_in_is_broken_in_the_known_way(self, broken):
        found = run_python("import torchvision", first_path=broken)
        assert f"RuntimeError: {machine.MISSING_OPERATOR}" in found.stderr

    def test_mends_it_and_forgets_the_half_loaded_modules(self, broken):
        code = """
            from headtohead.machine import mend_torchvision
            mend_torchvision()
            mend_torchvision()
            import torchvision
            print(torchvision.whole)
        """
        found = run_python(code, first_path=broken)
        assert found.stdout.split() == ["loading", "half", "loading", "half", "True"], found.stderr

    def test_the_real_one_and_all_that_need_it_can_be_imported(self):
        code = """
            from headtohead.machine import mend_torchvision
            mend_torchvision()
            import torchvision, timm, segmentation_models_pytorch
            print("fine")
        """
        found = run_python(code)
        assert found.stdout == "fine\n", found.stderr

    def test_another_error_is_not_swallowed(self, tmp_path):
        (tmp_path / "torchvision.py").write_text("raise RuntimeError('something else')\n")
        found = run_python("from headtohead.machine import mend_torchvision as m; m()", first_path=str(tmp_path))
        assert "RuntimeError: something else" in found.stderr

    def test_a_machine_without_it_is_left_alone(self, monkeypatch):
        def absent(name):
            raise ModuleNotFoundError(name)

        monkeypatch.setattr(machine.importlib, "import_module", absent)
        machine.mend_torchvision()


@pytest.fixture
def gpus(monkeypatch):
    """Pretend to have so many CUDA GPUs, and no Apple GPU."""

    def pretend(count):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    return pretend


class TestPickDevice:
    @pytest.mark.parametrize(
        ("count", "words", "expected"),
        [
            (0, "auto", ("cpu", "auto")),
            (0, "cpu", ("cpu", "auto")),
            (2, "cpu", ("cpu", "auto")),
            (2, "auto", ("cuda", [0])),
            (2, "1", ("cuda", [1])),
            (2, "1,1", ("cuda", [1])),
        ],
    )
    def test_takes_what_is_asked_and_there(self, gpus, count, words, expected):
        gpus(count)
        assert machine.pick_device(words) == expected

    def test_takes_apples_gpu_where_there_is_one(self, gpus, monkeypatch):
        gpus(0)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
        assert machine.pick_device("auto") == machine.pick_device("mps") == ("mps", "auto")
        assert machine.pick_device("cpu") == ("cpu", "auto")

    def test_takes_the_kind_of_gpu_that_is_asked_for(self, gpus, monkeypatch):
        gpus(1)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
        assert machine.pick_device("auto") == ("cuda", [0])
        assert machine.pick_device("mps") == ("mps", "auto")

    @pytest.mark.parametrize("count", [0, 1])
    def test_apples_gpu_asked_for_but_absent_is_said_with_the_mend(self, gpus, count):
        gpus(count)
        with pytest.raises(UserError, match=r"^`gpus` mps: .*no GPU of Apple's .* write `gpus=cpu` or `gpus=auto`$"):
            machine.pick_device("mps")

    def test_a_gpu_asked_for_but_absent_is_said_with_the_mend(self, gpus):
        gpus(0)
        with pytest.raises(
            UserError, match=r"^`gpus` 0: PyTorch finds no CUDA GPU .* write `gpus=cpu` or `gpus=auto`$"
        ):
            machine.pick_device("0")

    def test_a_number_too_high_gets_the_numbers_there_are(self, gpus):
        gpus(2)
        with pytest.raises(UserError, match=r"^`gpus` 2: no GPU 2 on this machine; choose from: 0, 1$"):
            machine.pick_device("2")

    def test_several_are_refused_with_the_way_to_use_them(self, gpus):
        gpus(2)
        with pytest.raises(UserError, match="`gpus` 0,1: an experiment trains on one GPU; start `compare` once"):
            machine.pick_device("0,1")

    @pytest.mark.parametrize("words", ["two", "", "-1", "0;1", "0,"])
    def test_words_that_mean_nothing_are_refused(self, gpus, words):
        gpus(2)
        with pytest.raises(UserError, match=r"^`gpus` .*: neither auto, cpu, mps nor GPU numbers"):
            machine.pick_device(words)


class TestPickPrecision:
    @pytest.fixture(params=[(False, False), (True, False), (False, True)])
    def processor(self, request, monkeypatch):
        avx512_bf16, amx = request.param
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512_bf16, raising=False)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
        return avx512_bf16 or amx

    def test_auto_takes_bf16_only_where_the_processor_has_it(self, processor):
        assert machine.pick_precision("auto", "cpu") == ("bf16-mixed" if processor else "32-true")

    def test_a_version_of_torch_that_cannot_tell_gets_float32(self, monkeypatch):
        monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported", raising=False)
        monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported", raising=False)
        assert machine.pick_precision("auto", "cpu") == "32-true"

    @pytest.mark.parametrize("native", [True, False])
    def test_auto_asks_a_gpu_for_bf16_that_is_not_emulated(self, monkeypatch, native):
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation or native
        )
        assert machine.pick_precision("auto", "cuda") == ("bf16-mixed" if native else "32-true")

    def test_auto_is_float32_on_apples_gpu(self):
        assert machine.pick_precision("auto", "mps") == "32-true"
        assert machine.pick_precision("bf16", "mps") == "bf16-mixed"

    def test_a_choice_is_obeyed(self, processor):
        assert machine.pick_precision("32", "cpu") == "32-true"
        assert machine.pick_precision("bf16", "cpu") == "bf16-mixed"


@pytest.mark.parametrize(
    ("accelerator", "precision", "batch_norm", "expected"),
    [
        ("cpu", "bf16-mixed", False, True),
        ("cuda", "bf16-mixed", True, True),
        ("mps", "bf16-mixed", True, False),
        ("cpu", "32-true", True, True),
        ("cpu", "32-true", False, False),
        ("cuda", "32-true", True, False),
    ],
)
def test_channels_last_follows_what_was_measured(accelerator, precision, batch_norm, expected):
    assert machine.prefers_channels_last(accelerator, precision, batch_norm) is expected


class TestDescribe:
    def test_names_software_and_hardware(self, gpus):
        gpus(0)
        facts = machine.describe()
        assert facts["torch"] == torch.__version__.split("+")[0]
        assert platform.release() not in " ".join(facts.values())
        assert int(facts["cores"]) == machine.usable_cores() >= 1
        assert facts["processor"].strip()
        assert "gpu" not in facts
        assert all(isinstance(value, str) and value for value in facts.values())

    def test_names_the_gpu(self, gpus, monkeypatch):
        gpus(1)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: "NVIDIA Something")
        assert machine.describe()["gpu"] == "NVIDIA Something"

    def test_does_without_what_a_system_does_not_tell(self, gpus, monkeypatch):
        gpus(0)
        monkeypatch.setattr(machine, "DESCRIBED_PACKAGES", ("torch", "no-such-package"))
        monkeypatch.setattr(machine, "PROCESSOR_FACTS", Path("nowhere"))
        monkeypatch.delattr(machine.os, "sysconf")
        monkeypatch.delattr(machine.os, "sched_getaffinity", raising=False)
        facts = machine.describe()
        assert "no-such-package" not in facts
        assert facts["memory"] == "unknown"
        assert int(facts["cores"]) >= 1
