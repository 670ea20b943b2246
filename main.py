"""The front door: `python main.py --help` says what there is."""

import gc
import sys
from pathlib import Path

gc.disable()  # imports leave no garbage, and to look for it takes 3 % of a short command; `cli.run_verb` enables it

# The code beside this file is the code that runs, whether or not the package is installed.
sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

if __name__ == "__main__":
    from headtohead import cli

    sys.exit(cli.main())
