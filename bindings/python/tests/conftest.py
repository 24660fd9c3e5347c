"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from sandbox import Sandbox

import whimbrel


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeats the tests that are marked so as often as ``WHIMBREL_REPEAT`` says."""
    times = int(os.environ.get("WHIMBREL_REPEAT", "1"))
    if times > 1 and metafunc.definition.get_closest_marker("ending"):
        metafunc.fixturenames.append("repetition")
        metafunc.parametrize("repetition", range(times))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    running = Sandbox()
    yield running
    violations = running.request("GET", "/violations")["items"]
    running.stop()
    assert violations == []


@pytest.fixture(scope="session")
def engine(sandbox: Sandbox) -> Iterator[whimbrel.Engine]:
    with whimbrel.Engine(endpoint=sandbox.endpoint()) as engine:
        yield engine
