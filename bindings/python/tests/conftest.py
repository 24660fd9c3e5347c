"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sandbox import Sandbox

import whimbrel


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
