import pytest

from headtohead.cohort.sequence_names import AT_THE_END, sequence_in_name, sequence_label


@pytest.mark.parametrize(
    ("stem", "case", "sequence"),
    [
        ("case7_flair", "case7", "flair"),
        ("BraTS20_Training_001_t1ce", "BraTS20_Training_001", "post"),
        ("BraTS-GLI-00000-000-t1c", "BraTS-GLI-00000-000", "post"),
        ("BraTS-GLI-00000-000-t2f", "BraTS-GLI-00000-000", "flair"),
        ("x_t1_bet", "x", "pre"),
        ("x_t1c_bet", "x", "post"),
        ("x_t2_bet", "x", "t2"),
        ("x_T2w", "x", "t2"),
        ("x_flair_reg_n4", "x", "flair"),
        ("sub-01_T1w", "sub-01", "pre"),
        ("sub-01_FLAIR", "sub-01", "flair"),
        ("sub-01_T2starw", "sub-01", "t2star"),
        ("sub-01_ce-gad_T1w", "sub-01", "post"),
        ("sub-01_ses-2_acq-3D_ce-gadolinium_run-1_T1w", "sub-01_ses-2_run-1", "post"),
        ("sub-01_desc-preproc_FLAIR", "sub-01", "flair"),
        ("p_t1_post", "p", "post"),
        ("P1_T1_AX_POST", "P1", "post"),
        ("p_T1-CE", "p", "post"),
        ("T1+C", "", "post"),
        ("p_CE_T1", "p", "post"),
        ("case_C_T1", "case_C", "pre"),
        ("p_t1_pre", "p", "pre"),
        ("patient_post", "patient", "post"),
        ("AX_T2_FLAIR", "", "flair"),
        ("flair_of_case", "of_case", "flair"),
        ("T1_patient01", "patient01", "pre"),
        ("PD_001_FLAIR", "PD_001", "flair"),
        ("p_adc", "p", "adc"),
        ("p_dwi", "p", "dwi"),
        ("p_swi", "p", "swi"),
        ("p_pd", "p", "pd"),
        ("flair", "", "flair"),
        ("a b\n_t1", "a b\n", "pre"),
    ],
)
def test_what_a_name_says(stem: str, case: str, sequence: str) -> None:
    named = sequence_in_name(stem)
    assert named is not None and (named.case, named.sequence) == (case, sequence)


@pytest.mark.parametrize("stem", ["scan", "myflair", "", "PD_001", "pre_study_7", "post_op_3", "p_t1_or_t2_x", "t10"])
def test_a_name_that_says_no_sequence(stem: str) -> None:
    assert sequence_in_name(stem) is None


def test_files_of_one_sequence_differ_in_their_variant() -> None:
    variants = {stem: sequence_in_name(stem) for stem in ("p_t1", "p_t1_bet", "sub-1_acq-A_T1w", "sub-1_acq-B_T1w")}
    assert [named.variant for named in variants.values() if named] == ["", "bet", "acq-a", "acq-b"]


def test_every_word_is_in_small_letters_and_has_a_name_to_show() -> None:
    assert all(word == word.lower() for word in AT_THE_END)
    assert (sequence_label("post"), sequence_label("t2")) == ("T1+contrast", "T2")
