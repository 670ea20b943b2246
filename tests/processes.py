"""Programs that tests run in a Python of their own."""

import os
import subprocess
import sys


def printed_by(program: str) -> str:
    """Run a program that may import what its test may, and give what it prints."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return found.stdout
