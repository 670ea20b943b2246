"""How long a report takes beside the training it reports, and whether it stays clear of PyTorch.

Claim: `--report` writes tables, statistics, figures and the page again in a small part of the time of the training.
Hardware: printed; the training's is in each run.json, and the ratio only means something if both are the same.
n: one report of one comparison that is on disk; the seconds of training are those its runs recorded.

    python benchmarks/report_time.py lgg_cv
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from headtohead import machine

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Time one report and print it beside the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("comparison", help="name of a comparison below --runs_dir")
    parser.add_argument("--runs_dir", default="runs")
    wanted = parser.parse_args()
    folder = Path(wanted.runs_dir) / wanted.comparison
    records = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*/run.json"))]
    trained = [record for record in records if record.get("parameters") and record.get("status") == "finished"]
    if not trained:
        sys.exit(f"error: {folder} holds no finished run; train first with --compare")
    training = sum(record["seconds"] for record in trained)
    command = [sys.executable, str(ROOT / "main.py"), "--report", "--comparison", wanted.comparison]
    start = time.perf_counter()
    subprocess.run([*command, "--runs_dir", wanted.runs_dir], check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    facts = machine.describe()
    print(f"{facts.get('processor')}, {facts.get('cores')} cores")
    print(f"training of {len(trained)} runs: {training:.0f} s, as they recorded it")
    print(f"report, whole process: {seconds:.1f} s")
    print(f"ratio training : report = {training / seconds:.0f}")


if __name__ == "__main__":
    main()
