"""Files on disk become a Cohort: a case table and memory-mapped pixels, packed once."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headtohead.cohort.cohort import Cohort
    from headtohead.cohort.pack import open_cohort, open_data

__all__ = ["Cohort", "open_cohort", "open_data"]


def __getattr__(name: str) -> Any:
    """Import packing when it is asked for: a prediction needs a module of this package, and none of that."""
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    from headtohead.cohort import cohort, pack

    return getattr(pack if name in vars(pack) else cohort, name)
