"""What fails in the tester is shown with its values, as in a test file."""

import pytest

pytest.register_assert_rewrite("tests.learning.losses.tester")
