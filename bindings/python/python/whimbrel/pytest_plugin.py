"""Fixtures for pytest: a sandbox of the tests' own, and an engine on it.

Installed with the package; nothing is started unless a test asks for it::

    def test_it_greets(whimbrel_sandbox, whimbrel_engine):
        phone, friend = whimbrel_sandbox.phone(), whimbrel_sandbox.phone()
        with whimbrel.sync.Client(":memory:", engine=whimbrel_engine, auto_start=False) as client:
            phone.link(client)
            ...
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from . import Engine
    from .testing import Sandbox


@pytest.fixture(scope="session")
def whimbrel_sandbox() -> Iterator[Sandbox]:
    """The program ``whimbrel-sandbox``, for all tests of the session. Fails at the end when a client
    broke the protocol's rules about keys.
    """
    from .testing import Sandbox

    with Sandbox() as sandbox:
        yield sandbox
        assert sandbox.violations() == []


@pytest.fixture(scope="session")
def whimbrel_engine(whimbrel_sandbox: Sandbox) -> Iterator[Engine]:
    """An engine whose clients find the sandbox."""
    from . import Engine

    with Engine(endpoint=whimbrel_sandbox.endpoint()) as engine:
        yield engine
