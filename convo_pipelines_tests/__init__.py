import pytest

pytest.register_assert_rewrite("convo_pipelines_tests.oracle")
