"""What may be added to a comparison: runs that could share a table with those that stay."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from headtohead.runs.agreement import refuse_unlike
from headtohead.runs.reading import read_ledger, read_ledger_around

FACTS = {"protocol": {"version": 1}, "data": {"key": "d1"}, "split": {"key": "s1"}}


def refuse(comparison: Path, facts: dict[str, Any], replaced: set[str], inputs: Any = None) -> None:
    repeats = {entrant: {"recipe": recipe} for entrant, recipe in (inputs or {}).items()}
    refuse_unlike(read_ledger(comparison, without=replaced), facts, repeats)


def test_what_fits_may_be_added(comparison: Path, write_run: Any) -> None:
    write_run()
    refuse(comparison, FACTS, set())


@pytest.mark.parametrize("model", ["unet", "flair-threshold"])
def test_what_does_not_fit_is_refused_unless_it_replaces(comparison: Path, write_run: Any, model: str) -> None:
    """A baseline that stays would make the finished table unreadable as well."""
    folder = write_run(model)
    other = {**FACTS, "data": {"key": "d2"}}
    with pytest.raises(UserError, match=rf"{folder.name}: differs in data from what is asked for \(d1 against d2\)"):
        refuse(comparison, other, set())
    refuse(comparison, other, {folder.name})


def test_entrants_may_differ_in_input_but_repeats_of_one_may_not(comparison: Path, write_run: Any) -> None:
    small, large = ({"image_size": size, "normalise": "inner", "neighbours": 1} for size in (96, 128))
    write_run("unet", recipe=small)
    write_run("buda", recipe=large)
    write_run("flair-threshold", "-", None, name="flair-threshold", recipe=large)
    read_ledger(comparison)
    planned = {("unet", "none"): large}
    refuse(comparison, FACTS, set(), {("unet", "none"): small, ("unet", "cosine"): large})
    with pytest.raises(UserError, match=r"unet-none-s0-f0: differs in input from .* \(image_size 96 against 128\)"):
        refuse(comparison, FACTS, set(), planned)
    refuse(comparison, FACTS, {"unet-none-s0-f0"}, planned)
    write_run("unet", seed=1, recipe=large)
    with pytest.raises(UserError, match=r"of one entrant but differ in input \(image_size 96 against 128\)"):
        read_ledger(comparison)


def test_what_is_made_anew_need_not_fit_what_is_there(comparison: Path, write_run: Any) -> None:
    """As after --overwrite on new data was killed half-way: the same command must go on."""
    write_run("unet", "none", data={"key": "new"})
    write_run("buda", "none", data={"key": "old"})
    facts = FACTS | {"data": {"key": "new"}}
    with pytest.raises(UserError):
        refuse(comparison, facts, set())
    refuse(comparison, facts, {"buda-none-s0-f0"})


def test_seeds_of_other_content_of_a_file_are_no_repeats(comparison: Path, write_run: Any) -> None:
    for seed, content in enumerate(("aa", "aa", "bb")):
        write_run("mynet.py:Net", seed=seed, net={"sha256": content}, name=f"mynet-s{seed}")
        if content == "aa":
            read_ledger(comparison)
    with pytest.raises(UserError, match=r"of one entrant but of other content of its file \(aa against bb\)"):
        read_ledger(comparison)
    mine = {("mynet.py:Net", "none"): {"net": {"sha256": "bb"}}}
    with pytest.raises(UserError, match=r"differs in the content of its file from what is .* \(aa against bb"):
        refuse_unlike(read_ledger(comparison, without={"mynet-s2"}), FACTS, mine)
    refuse_unlike(read_ledger(comparison, without={"mynet-s0", "mynet-s1"}), FACTS, mine)
    around = read_ledger_around(comparison / "mynet-s1")
    assert sorted(run.name for run in around.finished) == ["mynet-s0", "mynet-s1"]
