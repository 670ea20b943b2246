"""Where mask, probability and panel of `--image_path` go: they are written all or none, and replace nothing."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from headtohead.errors import UserError
from headtohead.options.table import Options
from headtohead.saving import atomic_path
from headtohead.trained.choosing import Choice


def folder_for(options: Options, choices: list[Choice]) -> Path:
    """Say where outputs go: `--output`, or the figures of the run, or a folder of predictions below `--runs_dir`."""
    if options.prediction.output:
        return Path(options.prediction.output)
    run = choices[0].run
    return run.figures if run and len(choices) == 1 else Path(options.comparison.runs_dir) / "predictions"


def refuse_overwriting(outputs: dict[str, Path], image: Path, overwrite: bool) -> None:
    """Refuse to replace files, unless told to, and ever to put a predicted mask where the truth is looked for.

    Raises:
        UserError: names the file and the fix.
    """
    folder = outputs["mask"].parent
    if folder.resolve() == image.resolve().parent:
        raise UserError(
            f"--output {folder}: the image's own folder, where {outputs['mask'].name} would be taken for its truth; "
            "choose another folder"
        )
    for path in outputs.values():
        if path.exists() and not overwrite:
            raise UserError(f"{path}: already exists; choose another folder with --output, or add --overwrite")


@contextmanager
def all_or_none(outputs: dict[str, Path]) -> Iterator[dict[str, Path]]:
    """Give a temporary path for each output; all get their names on success, none on any failure.

    Raises:
        UserError: the folder cannot be made or written to.
    """
    with ExitStack() as stack:
        try:
            temporary = {kind: stack.enter_context(atomic_path(path)) for kind, path in outputs.items()}
        except OSError as fault:
            folder = outputs["mask"].parent
            raise UserError(f"{folder}: cannot be written to ({fault.strerror}); choose another --output") from fault
        yield temporary
