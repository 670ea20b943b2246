"""How much memory is free is the least of what machine, control groups and limits leave."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from headtohead import memory
from headtohead.errors import UserError
from headtohead.memory import SPARED, Claims, bytes_in_words, free_memory, refuse_unless_free

GIB = 2**30


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 8 GiB available, without limits."""
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "_limits", lambda: iter(()))
    write(tmp_path / "proc" / "meminfo", f"MemTotal: {2**24} kB\nMemFree: 1 kB\nMemAvailable: {2**23} kB\n")
    return tmp_path


def write(path: Path, text: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def test_the_machine_without_groups(system: Path) -> None:
    assert free_memory() == 8 * GIB - SPARED


def test_control_groups_of_version_2_and_the_cache_they_count(system: Path) -> None:
    write(system / "proc" / "self" / "cgroup", "0::/job/step")
    write(system / "cgroup" / "job" / "step" / "memory.max", "max")
    write(system / "cgroup" / "job" / "step" / "memory.current", GIB)
    assert free_memory() == 8 * GIB - SPARED
    write(system / "cgroup" / "job" / "memory.max", 3 * GIB)  # of the group around it
    write(system / "cgroup" / "job" / "memory.current", 2 * GIB)
    write(system / "cgroup" / "job" / "memory.stat", f"anon 5\ninactive_file {GIB // 2}")
    assert free_memory() == 3 * GIB // 2 - SPARED


def test_control_groups_of_version_1(system: Path) -> None:
    write(system / "proc" / "self" / "cgroup", "5:cpu,cpuacct:/\n4:memory:/of/the/host\n0::/")
    write(system / "cgroup" / "memory" / "memory.limit_in_bytes", 2**63 - 4096)  # none
    write(system / "cgroup" / "memory" / "memory.usage_in_bytes", 7 * GIB)
    assert free_memory() == 8 * GIB - SPARED
    write(system / "cgroup" / "memory" / "memory.limit_in_bytes", 4 * GIB)
    assert free_memory() == 0, "more in use than allowed is nothing free"
    write(system / "cgroup" / "memory" / "memory.usage_in_bytes", GIB)
    assert free_memory() == 3 * GIB - SPARED


def test_a_system_that_says_nothing(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (system / "proc" / "meminfo").unlink()
    monkeypatch.setattr(memory.os, "sysconf", {"SC_PHYS_PAGES": 2**21, "SC_PAGE_SIZE": 4096}.__getitem__)
    assert free_memory() == 4 * GIB - SPARED, "half of the machine"

    def unknown(_: str) -> int:
        raise ValueError

    monkeypatch.setattr(memory.os, "sysconf", unknown)
    assert free_memory() is None
    refuse_unless_free("a.nii", "voxels", 2**50)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
def test_a_limit_of_address_space() -> None:
    code = "import resource as r; r.setrlimit(r.RLIMIT_AS, (2**30, 2**30))\n"
    code += "import headtohead.memory as m; print(m.free_memory())"
    source = Path(memory.__file__).parents[1]
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=source)
    assert 0.5 * GIB < int(found.stdout) < GIB


def test_a_refusal_says_what_is_needed_and_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 3_900_000_000)
    refuse_unless_free("a.nii.gz", "9x9x9 voxels", 3_900_000_000)
    with pytest.raises(UserError) as refusal:
        refuse_unless_free("a.nii.gz", "1024x1024x2047 voxels", 23_100_000_000)
    assert str(refusal.value) == (
        "a.nii.gz: 1024x1024x2047 voxels need about 23 GB, 3.9 GB are free; crop or resample it, or use a machine with "
        "more memory"
    )
    assert bytes_in_words(999) == "1 MB" and bytes_in_words(120_000_000) == "120 MB"


def test_a_file_waits_until_it_fits_beside_the_others() -> None:
    claims = Claims(lambda: 100)
    claims.take("first", 60)
    claims.take("beside it", 40)
    taken = threading.Event()
    waiting = threading.Thread(target=lambda: (claims.take("third", 50), taken.set()), daemon=True)
    waiting.start()
    claims.drop("beside it")
    assert not taken.wait(0.05)
    claims.drop("first")
    claims.drop("never taken")
    assert taken.wait(10)
    waiting.join()


def test_alone_whatever_is_needed_goes_to_its_reader_and_a_fault_gives_it_back() -> None:
    claims = Claims(lambda: 100)
    for _ in range(2):
        claims.take("far too large", 1000)  # the reader refuses it
        with pytest.raises(ValueError, match="x"), claims.until_failure("far too large"):
            raise ValueError("x")


def test_what_waits_when_no_more_is_begun_is_refused() -> None:
    claims, refused = Claims(lambda: 100), threading.Event()
    claims.take("never given back", 60)

    def wait() -> None:
        with pytest.raises(RuntimeError, match="no further file is begun"):
            claims.take("waiting", 60)
        refused.set()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    claims.close()
    assert refused.wait(10)
    with pytest.raises(RuntimeError):
        claims.take("later", 1)
    waiting.join()
