"""Short names of cases: shorter, and never two cases under one name."""

from hypothesis import given
from hypothesis import strategies as st

from headtohead.reporting.case_names import short_names


def test_date_and_what_all_share_are_left_out() -> None:
    names = ["TCGA_CS_4941_19960909", "TCGA_DU_5849_19950405"]
    assert list(short_names(names).values()) == ["CS_4941", "DU_5849"]
    assert list(short_names(names[:1]).values()) == ["4941"]


def test_two_scans_of_a_patient_keep_their_dates() -> None:
    names = ["TCGA_CS_4941_19960909", "TCGA_CS_4941_19970909", "TCGA_DU_5849_19950405"]
    assert short_names(names)[names[0]] == "CS_4941_19960909"


def test_names_of_another_kind_stay() -> None:
    assert short_names(["case0", "case1"]) == {"case0": "case0", "case1": "case1"}
    assert short_names([]) == {}


@given(st.lists(st.text("ab_1", min_size=1, max_size=6), max_size=6))
def test_no_two_cases_share_a_name(names: list[str]) -> None:
    assert len(set(short_names(names).values())) == len(set(names))
