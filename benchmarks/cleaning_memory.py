"""How much memory the clean-up of a mask takes, of the masks that take most.

Claim: clean-up takes no more than 12 bytes a voxel besides the mask, whatever that is.
Each row is a process of its own, which says its own peak (VmHWM). Linux only.

    python benchmarks/cleaning_memory.py
    python benchmarks/cleaning_memory.py --side 192
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

CLEAN = """
import sys; sys.path.insert(0, sys.argv[1])
import numpy as np
from scipy import ndimage
from headtohead.predicting.cleaning.postprocessing import clean, parse_steps
side, steps = int(sys.argv[3]), parse_steps(sys.argv[4])
mask = np.zeros((side, side, side), bool)
for begin in {"full": (), "columns": ((0,),), "points": ((0,),), "diagonal": ((0,), (1,))}[sys.argv[2]]:
    mask[slice(*begin, None, 1 + (sys.argv[2] != "columns")), begin[0] :: 2, begin[0] :: 2] = True
mask |= sys.argv[2] == "full"
status = open("/proc/self/status").read()
open("/proc/self/clear_refs", "w").write("5")
clean(mask, steps, (1.0, 1.0, 1.0))
print(status[status.index("VmRSS"):], open("/proc/self/status").read())
"""

STEPS = "largest,fill,min_size=1ml,close=2px,open=2px,dilate=2px,erode=2px"
MASKS = {
    "full": "full, all steps",
    "columns": "columns, a piece each",
    "points": "points, a piece each",
    "diagonal": "points, all one piece by their corners",
}


def main() -> None:
    """Read the command line, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--side", type=int, default=256, help="voxels along each axis (%(default)s)")
    side = parser.parse_args().side
    print(f"| mask of {side}x{side}x{side} | bytes a voxel |\n|---|---:|")
    for name, words in MASKS.items():
        arguments = [str(ROOT / "src"), name, str(side), STEPS if name == "full" else "largest"]
        done = subprocess.run([sys.executable, "-c", CLEAN, *arguments], capture_output=True, text=True, check=True)
        before, most = (1024 * int(re.findall(rf"{field}:\s+(\d+)", done.stdout)[0]) for field in ("VmRSS", "VmHWM"))
        print(f"| {words} | {(most - before) / side**3:.1f} |", flush=True)


if __name__ == "__main__":
    main()
