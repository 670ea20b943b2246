"""What comes back from the machine with the GPU: records, tables and logs of all that is finished, in one archive.

It holds whole run folders without their weights. Unpacked in a checkout, beside the same data set, `--report` makes the
report from them; carried back to a fresh machine, the comparison keeps them and trains only the rest.
"""

import json
import statistics
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from headtohead.errors import UserError
from headtohead.runs.folder import RunFolder
from headtohead.saving import atomic_path, write_text

ARCHIVE = "results.tar.gz"
HEAVY = (".ckpt", ".onnx", ".safetensors", ".lock", ".nii.gz", ".tif")
"""Never in the archive; `run.sh model` brings the weights of one run."""

LATER = (".html", ".png", ".gif", ".jpg")
"""What `--report` makes again: only if there is room. Events of TensorBoard come after that."""


def collect(runs: Path, logs: Path, manifest: Path, out: Path, limit: int) -> None:
    """Write summary.md and results.tar.gz; what does not fit is named in it.

    Args:
        runs: folder of the comparisons.
        logs: folder of the logs.
        manifest: pieces.json, which says what the data were.
        out: folder for the two files.
        limit: most bytes of the archive.
    """
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "summary.md", summary(runs, manifest))
    files = sorted(path for path in runs.rglob("*") if path.is_file() and not path.name.endswith(HEAVY))
    ranked = sorted(files, key=lambda path: (_rank(path), path.stat().st_size if _rank(path) else 0))
    left_out: list[str] = []
    with (
        atomic_path(out / ARCHIVE) as temporary,
        temporary.open("wb") as target,
        tarfile.open(fileobj=target, mode="w:gz") as archive,
    ):
        for extra in [out / "summary.md", manifest, *sorted(logs.glob("*.log"))]:
            if extra.is_file():
                archive.add(extra, f"gpu/{extra.name}")
        for path in ranked:
            # What was compressed so far, what may still lie in its buffers, and this file at its worst.
            if target.tell() + path.stat().st_size + 2**18 > limit:
                left_out.append(str(path.relative_to(runs)))
            else:
                archive.add(path, f"runs/{path.relative_to(runs)}")
    size = (out / ARCHIVE).stat().st_size
    print(
        f"collect: {out / ARCHIVE}, {size / 2**20:.1f} MiB, {len(ranked) - len(left_out)} files; summary.md beside it"
    )
    if left_out:
        print(f"collect: left out because they did not fit: {len(left_out)}, such as {left_out[0]}")


def _rank(path: Path) -> int:
    return 2 if "tfevents" in path.name else 1 if path.suffix in LATER else 0


def restore(archive: Path, runs: Path) -> None:
    """Put finished runs of an earlier machine back, where they are not there yet.

    Raises:
        UserError: the archive is damaged.
    """
    if not archive.is_file():
        return
    try:
        with tarfile.open(archive) as packed:
            for member in packed.getmembers():
                place, _, rest = member.name.partition("/")
                if place == "runs" and member.isfile() and not (runs / rest).exists():
                    member.name = rest
                    packed.extract(member, runs, filter="data")
    except (tarfile.TarError, EOFError, OSError) as fault:
        raise UserError(f"{archive}: damaged ({fault}); copy it again") from None
    # What was killed has no weights to go on from: it is trained anew.
    for record in runs.glob("*/*/run.json"):
        folder = RunFolder(record.parent)
        if folder.record().get("status") not in ("finished", "baseline") and not folder.last.is_file():
            record.unlink()


def pick_run(runs: Path, comparisons: Iterable[str]) -> Path | None:
    """Give the first finished run of the first comparison that has its weights; None where none has."""
    for comparison in comparisons:
        for folder in sorted((runs / comparison).glob("*/")):
            run = RunFolder(folder)
            if run.best.is_file() and run.record().get("status") == "finished":
                return folder
    return None


def test_cases(run: Path | None, data: Path) -> list[str]:
    """List cases that a run was tested on; without a run, those of the data set."""
    if run is None:
        return sorted(path.name for path in data.iterdir() if path.is_dir())
    return [str(case) for case in pd.read_csv(run / "cases.csv", dtype={"case": str})["case"]]


def summary(runs: Path, manifest: Path) -> str:
    """Write what was measured as Markdown: data, speed, training times, and the table of each comparison."""
    parts = ["# Results of the GPU kit", *_data(manifest), *_speed(runs / "speed.jsonl")]
    tables = sorted(runs.glob("*/results.md"))
    if rows := list(_trainings(runs)):
        parts += [
            "## Training, whole epochs",
            "Seconds are those of the median epoch, validation included, without the first epoch; images per second "
            "are the training slices over these seconds.",
            "| run | status | epochs | s per epoch | images/s | s in total |\n|---|---|---:|---:|---:|---:|\n"
            + "\n".join(rows),
        ]
    parts += [f"## {table.parent.name}\n\n{table.read_text(encoding='utf-8')}" for table in tables]
    return "\n\n".join(parts) + "\n"


def _data(manifest: Path) -> Iterator[str]:
    if not manifest.is_file():
        return
    facts = json.loads(manifest.read_text(encoding="utf-8"))
    yield f"Data key {facts['key']}."
    if facts["side"]:
        side = f"{facts['side']}x{facts['side']}"
        yield (
            f"**Images were reduced to {side} before they were copied** (masks and scores are on the source grid). "
            f"This is another data set than {facts['original']}: do not mix its results with others."
        )


def _speed(file: Path) -> Iterator[str]:
    if not file.is_file():
        return
    rows = {row.pop("what"): row for row in map(json.loads, file.read_text(encoding="utf-8").splitlines())}
    peak = rows.pop("peak", {}).get("operations_a_second")
    yield "## One training step"
    if peak:
        yield f"Peak, a large bf16 matrix product: {peak / 1e12:.1f} TFLOP/s."
    lines = ["| what | images/s | GFLOP per image | share of peak | first step, s |", "|---|---:|---:|---:|---:|"]
    for name, row in rows.items():
        if "failed" in row:
            lines.append(f"| {name} | failed: {row['failed']} | | | |")
            continue
        eager = rows.get(name.replace("compiled", "eager"), {})
        operations, rate = eager.get("operations_an_image"), row["images_a_second"]
        share = f"{operations * rate / peak:.1%}" if operations and peak else ""
        work = f"{operations / 1e9:.1f}" if operations else ""
        first = f"{row['first_step_seconds']:.1f}" if "first_step_seconds" in row else ""
        lines.append(f"| {name} | {rate:.1f} | {work} | {share} | {first} |")
    yield "\n".join(lines)


def _trainings(runs: Path) -> Iterator[str]:
    for file in sorted(runs.glob("*/*/metrics.csv")):
        run = RunFolder(file.parent)
        record: dict[str, Any] = run.record()
        seconds = pd.read_csv(file)["seconds"].tolist()
        middle = statistics.median(seconds[1:] or seconds)
        shown = record.get("split", {}).get("train", 0)
        # With fewer empty slices in an epoch, how many it showed is not in the record.
        rate = f"{shown / middle:.0f}" if run.read_config().get("empty_slices") == 1 and middle else ""
        name = f"{file.parent.parent.name}/{file.parent.name}"
        yield f"| {name} | {record.get('status', '')} | {len(seconds)} | {middle:.2f} | {rate} | {sum(seconds):.0f} |"
