"""What holds for the whole suite."""

import pytest
from hypothesis import HealthCheck, settings

# a property is true or it is not; how fast the machine is today says nothing about it
settings.register_profile("dialtone", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dialtone")


_LONG = ("test_say.py", "test_calls.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long by itself, telephone calls in real time: at the end, one file would hold up all."""
    items.sort(key=lambda item: 0 if "e2e" in item.path.parts or item.path.name in _LONG else 1)
