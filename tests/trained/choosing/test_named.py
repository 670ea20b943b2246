"""What is named is used, and what would be ignored is refused."""

from pathlib import Path
from typing import Any

import pytest

from headtohead.errors import UserError
from tests.trained.choosing.choice import MakeRun, choose, choose_several


def test_run(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("single/best", 0.9)
    named = make_run("single/mine", 0.1, status="running")
    assert choose(tmp_path, run_name="mine").run == named
    assert choose(tmp_path, run_name="mine").reason == "named by `run_name`, though its training is not finished"
    with pytest.raises(UserError, match=r"`run_name` mime: no such run in .*; there are: best, mine"):
        choose(tmp_path, run_name="mime")
    named.best.unlink()
    with pytest.raises(UserError, match="holds no trained model yet"):
        choose(tmp_path, run_name="mine")


def test_one_name_in_several_comparisons(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("a/twin")
    second = make_run("b/twin")
    with pytest.raises(UserError, match="one in each of a, b; choose with `comparison`"):
        choose(tmp_path, run_name="twin")
    assert choose(tmp_path, run_name="twin", comparison="b").run == second


def test_nothing_trained(tmp_path: Path, shipped: Path) -> None:
    choice = choose(tmp_path)
    assert (choice.name, choice.run, choice.source.folder) == ("ours", None, shipped)
    assert choice.reason == "shipped with the program; no run is trained here"
    with pytest.raises(UserError, match="train first: `train`"):
        choose(tmp_path, run_name="mine")


def test_several_names(make_run: MakeRun, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        make_run(f"single/{name}")
    assert [one.name for one in choose_several(tmp_path, run_name="c,a")] == ["single/c", "single/a"]
    with pytest.raises(UserError, match=r"`run_name` d: no such run"):
        choose_several(tmp_path, run_name="a,d")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"run_name": "a,b,a"}, "`run_name` a,b,a: a is named twice"),
        ({"run_name": "a", "ensemble": True, "comparison": "single"}, "`run_name` a: `ensemble` averages all runs"),
    ],
)
def test_what_would_be_ignored_is_refused(
    make_run: MakeRun, tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    make_run("single/a")
    make_run("single/b")
    with pytest.raises(UserError, match=message):
        choose_several(tmp_path, **settings)


def test_whole_comparison(make_run: MakeRun, tmp_path: Path) -> None:
    for fold in range(3):
        make_run(f"lgg/f{fold}")
    make_run("lgg/f3", status="running")
    make_run("single/other")
    found = choose_several(tmp_path, ensemble=True, comparison="lgg")
    assert [one.name for one in found] == [f"lgg/f{fold}" for fold in range(3)]
    assert {one.reason for one in found} == {"one of 3 of the comparison"}
    with pytest.raises(UserError, match="`ensemble`: needs `comparison=NAME`"):
        choose_several(tmp_path, ensemble=True)
    with pytest.raises(UserError, match="`comparison` none: no trained model"):
        choose_several(tmp_path, ensemble=True, comparison="none")


def test_model_path_goes_before_runs(make_run: MakeRun, tmp_path: Path, shipped: Path) -> None:
    run = make_run("single/best", 0.9)
    assert choose(tmp_path, model_path=str(shipped)).name == "ours"
    assert choose(tmp_path, model_path=str(run.path)).source.folder == run.path
    with pytest.raises(UserError, match=r"`model_path` .*nowhere: no such bundle or file"):
        choose(tmp_path, model_path=str(tmp_path / "nowhere"))
