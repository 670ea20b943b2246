import pytest

from headtohead.readers.sequence_names import AT_THE_END, says_several, sequence_in_name, sequence_label


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
        ("x_t1_to_flair", "x", "pre"),
        ("x_T1_reg_FLAIR", "x", "pre"),
        ("x_T1w_in_FLAIR", "x", "pre"),
        ("x_t1_gd_registered_to_t2_flair_bet", "x", "post"),
        ("reg_T1_to_FLAIR", "", "pre"),
        ("x_T1toFLAIR", "x", "pre"),
        ("x_flair2t1", "x", "flair"),
        ("x_FLAIR_to_T1", "x", "flair"),
        ("x_FLAIR_reg_T1_n4", "x", "flair"),
        ("x_FLAIR_in_T2", "x", "flair"),
        ("x_T2_to_FLAIR", "x", "t2"),
        ("x_CT_to_FLAIR", "x", "ct"),
        ("x_FLAIR_to_MNI", "x_to", "flair"),
        ("case_in_FLAIR", "case_in", "flair"),
        ("x_T1_reg_post", "x", "post"),
        ("x_t1_mprage_post", "x", "post"),
        ("x_T1_MPRAGE_GD_bet", "x", "post"),
        ("x_T1_post_contrast", "x", "post"),
        ("post_contrast_T1", "", "post"),
        ("sub-01_space-FLAIR_T1w", "sub-01", "pre"),
        ("sub-01_space-T1w_FLAIR", "sub-01", "flair"),
        ("sub-01_UNIT1", "sub-01", "mp2rage"),
        ("sub-01_inv-1_MP2RAGE", "sub-01_inv-1", "mp2rage"),
        ("sub-01_inplaneT2", "sub-01", "t2"),
        ("sub-01_T1map", "sub-01", "map"),
        ("sub-01_T2map", "sub-01", "map"),
        ("sub-01_PDw", "sub-01", "pd"),
        ("sub-01_PDT2", "sub-01", "pd"),
        ("sub-01_T2star", "sub-01", "t2star"),
        ("sub-01_dir-AP_sbref", "sub-01_dir-AP", "bold"),
        ("x_DWI_b1000", "x", "dwi"),
        ("x_STIR", "x", "stir"),
        ("x_dti_FA", "x_dti", "dwi"),
        ("x_t2blade", "x", "t2"),
        ("x_T1wBrain", "x", "pre"),
        ("flair", "", "flair"),
        ("a b\n_t1", "a b\n", "pre"),
    ],
)
def test_what_a_name_says(stem: str, case: str, sequence: str) -> None:
    named = sequence_in_name(stem)
    assert named is not None and (named.case, named.sequence) == (case, sequence)


@pytest.mark.parametrize("stem", ["scan", "myflair", "", "PD_001", "pre_study_7", "post_op_3", "t10", "x_2"])
def test_a_name_that_says_no_sequence(stem: str) -> None:
    assert sequence_in_name(stem) is None


@pytest.mark.parametrize(
    ("stem", "sequences"),
    [
        ("p_t1_or_t2_x", "T1 and T2"),
        ("x_t1_flair", "T1 and FLAIR"),
        ("FLAIR_post", "FLAIR and T1+contrast"),
        ("t1_t1ce", "T1 and T1+contrast"),
        ("x_T1_flair_to_T2", "T1 and FLAIR"),
    ],
)
def test_a_name_that_says_several_sequences_is_a_case_by_itself(stem: str, sequences: str) -> None:
    named = sequence_in_name(stem)
    assert named is not None and says_several(named.sequence)
    assert (named.case, sequence_label(named.sequence)) == (stem, sequences)


def test_files_of_one_sequence_differ_in_their_variant() -> None:
    variants = {stem: sequence_in_name(stem) for stem in ("p_t1", "p_t1_bet", "sub-1_acq-A_T1w", "sub-1_acq-B_T1w")}
    assert [named.variant for named in variants.values() if named] == ["", "bet", "acq-a", "acq-b"]


def test_every_word_is_in_small_letters_and_has_a_name_to_show() -> None:
    assert all(word == word.lower() for word in AT_THE_END)
    assert (sequence_label("post"), sequence_label("t2")) == ("T1+contrast", "T2")
