"""What every test of the screen needs."""

import pytest

from tests.assets.screened.rows import BagEncoder


@pytest.fixture(scope="module")
def encoder():
    return BagEncoder()
