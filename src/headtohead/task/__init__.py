"""What is segmented from what: tasks, targets, grids, cases. NumPy only: no files, no PyTorch."""

from headtohead.task.case import Case
from headtohead.task.grid import Grid
from headtohead.task.targets import Target, Targets
from headtohead.task.task import Task

__all__ = ["Case", "Grid", "Target", "Targets", "Task"]
