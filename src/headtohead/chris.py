"""The masker as a ChRIS plugin: an input directory and an output directory, and the flags of the fetal masking system.

ChRIS runs a container with two directories and stores what lies in the second one. Everything is done by `--predict`.
"""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from headtohead import __version__, cli

try:
    from chris_plugin import chris_plugin
except ModuleNotFoundError:
    print(
        "error: the package chris_plugin is not installed; run pip install 'headtohead[chris]' (in a checkout pip "
        "install '.[chris]')",
        file=sys.stderr,
    )
    raise SystemExit(2) from None

parser = ArgumentParser(description="Masks of every volume below the input directory, on its own grid.")
parser.add_argument("--pattern", default="", help="only files that match, for example '**/*.nii'; default: all")
parser.add_argument(
    "--channels",
    default="",
    help="which volume or file is which sequence, NAME=NUMBER,...: flair=0; default: as the names of the files say",
)
# What `--predict` says of wrong input names its flags, with underscores: whoever follows it finds them here.
parser.add_argument("--mask_suffix", "--mask-suffix", default="_mask.nii", help="suffix of mask files; '': no masks")
parser.add_argument(
    "--outputs",
    default="",
    help="further volumes, MULT:SUFFIX,...: the image, multiplied by MULT outside the mask: "
    "0.0:_brain.nii extracts, 0.2:_overlay02.nii dims the rest",
)
parser.add_argument(
    "--model_path",
    "--model-path",
    default="",
    help="bundle of the model, below the input directory or in the container; default: the one that comes with it",
)
parser.add_argument("--postprocessing", default="", help="clean-up of the masks; default: that of the model")
parser.add_argument("--plane", default="auto", help="plane of the slices; default: that of the model")
parser.add_argument("-V", "--version", action="version", version=f"%(prog)s {__version__}")


@chris_plugin(
    parser=parser,
    title="Head-to-Head masks",
    category="MRI",
    min_memory_limit="2Gi",
    min_cpu_limit="1000m",
    min_gpu_limit=0,
)
def mask_directory(options: Namespace, inputdir: Path, outputdir: Path) -> None:
    """Predict all volumes below `inputdir` into `outputdir`, which mirrors its folders.

    Raises:
        SystemExit: the status of `--predict`, unless all is done.
    """
    if status := cli.main(words_of(options, inputdir, outputdir)):
        raise SystemExit(status)


def words_of(options: Namespace, inputdir: Path, outputdir: Path) -> list[str]:
    """Write the options of the plugin as a command line of this program; what is left out has its default there."""
    words = ["--predict", str(inputdir), "--output", str(outputdir), "--mask_suffix", options.mask_suffix]
    model = options.model_path
    if model and (inputdir / model).exists():
        model = str(inputdir / model)
    given = {"pattern": options.pattern, "channels": options.channels, "outputs": options.outputs, "model_path": model}
    given |= {"postprocessing": options.postprocessing}
    given |= {"plane": options.plane} if options.plane != "auto" else {}
    return words + [word for name, value in given.items() if value for word in (f"--{name}", value)]


if __name__ == "__main__":
    mask_directory()
