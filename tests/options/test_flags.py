"""Messages name options as Python calls them, and the command line prints flags."""

import pytest

from headtohead import cli
from headtohead.errors import UserError
from headtohead.options.flags import as_flags
from headtohead.options.table import from_flat


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("`root_dir` data/x: no such folder", "--root_dir data/x: no such folder"),
        (
            "lay it out for `data=nnunet`, or name its `mask_dir`",
            "lay it out for --data nnunet, or name its --mask_dir",
        ),
        ("add `channels=t1=0,flair=1`", "add --channels t1=0,flair=1"),
        ("run `test` again", "run --test again"),
        ("`batchsize`: no such option", "`batchsize`: no such option"),
        ("a table `case,fold` in `my `test", "a table `case,fold` in `my `test"),
        (
            "named (`labels`), by `run_name`, `fold`; or `pattern`.",
            "named (--labels), by --run_name, --fold; or --pattern.",
        ),
        ("`root_dir` /tmp/a`labels`b: no such folder", "--root_dir /tmp/a`labels`b: no such folder"),
        ("/tmp/`labels`: empty; `/tmp/`data`/x`", "/tmp/`labels`: empty; `/tmp/`data`/x`"),
        ("`labels` core`data=lgg`=1: refused", "--labels core`data=lgg`=1: refused"),
    ],
)
def test_names_of_options_become_flags_and_nothing_else_does(message: str, printed: str) -> None:
    assert as_flags(UserError(message)) == printed


def test_the_same_fault_names_the_option_in_python_and_the_flag_on_the_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(UserError, match=r"^`fold` 1: without folds there is only one split; add `folds=5`"):
        from_flat({"fold": 1})
    assert cli.main(["--train", "--fold", "1"]) == 2
    assert capsys.readouterr().err.startswith("error: --fold 1: without folds there is only one split; add --folds 5")
