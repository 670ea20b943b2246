"""The report of a comparison as one page: no network, no second file, nothing recomputed."""

from headtohead.reporting.page.writing import write_report

__all__ = ["write_report"]
