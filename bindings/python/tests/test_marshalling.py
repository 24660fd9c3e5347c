"""Values and errors on their way through the binding, without a network."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import whimbrel

API: dict[str, Any] = json.loads((Path(__file__).resolve().parents[2] / "api.json").read_text())


@pytest.fixture
async def client() -> AsyncIterator[whimbrel.Client]:
    async with whimbrel.Client(":memory:", auto_start=False) as client:
        yield client


async def test_every_shape_of_value_comes_back(client: whimbrel.Client) -> None:
    text = "a\0b \U0001f980 \u202e é \\ \" \n"
    for nothing in (None, "", "something"):
        echo = await client.debug_echo(
            text=text,
            number=-(2**53),
            large=str(2**64),
            flag=True,
            nested=[[], [1, -2], [2**63 - 1]],
            nothing=nothing,
            choice=whimbrel.DebugChoice.SECOND,
        )
        assert echo == whimbrel.DebugEcho(
            text=text,
            number=-(2**53),
            large=str(2**64),
            flag=True,
            nested=[[], [1, -2], [2**63 - 1]],
            nothing=nothing,
            choice=whimbrel.DebugChoice.SECOND,
        )


@pytest.mark.parametrize("code", API["codes"], ids=lambda code: str(code["name"]))
async def test_each_code_has_its_class(client: whimbrel.Client, code: dict[str, Any]) -> None:
    with pytest.raises(whimbrel.WhimbrelError) as caught:
        await client.debug_fail(code=code["number"])
    error = caught.value
    category = getattr(whimbrel, f"{code['category'].capitalize()}Error")
    assert isinstance(error, category)
    assert error.code is whimbrel.Code[code["name"]]
    assert error.code == code["number"]
    assert type(error).__doc__
    assert (error.message, str(error)) == ("failed as asked", "failed as asked")
    assert error.operation == "debug_fail"
    assert error.outcome is whimbrel.Outcome.NOT_SENT
    assert (error.service_status, error.retry_after_ms) == (0, None)
    # A class of its own for each, except where the category has one code only.
    assert type(error) is not category or code["category"] == "internal"


def test_errors_are_what_python_programs_expect() -> None:
    assert issubclass(whimbrel.UsageError, ValueError)
    assert issubclass(whimbrel.NetworkError, ConnectionError)
    assert issubclass(whimbrel.TimedOutError, TimeoutError)
    assert len({code.name for code in whimbrel.Code}) == len(API["codes"])


async def test_a_request_that_is_none_is_refused(client: whimbrel.Client) -> None:
    with pytest.raises(whimbrel.UnknownOperationError):
        await client._request("debug_eco", {}, None)
    with pytest.raises(whimbrel.InvalidArgumentError, match="unknown field"):
        await client._request("debug_fail", {"code": 1, "kode": 2}, None)
    with pytest.raises(whimbrel.InvalidArgumentError):
        await client.debug_fail(code="one")  # type: ignore[arg-type]
    with pytest.raises(whimbrel.InvalidArgumentError):
        await client.debug_fail(code=1, timeout=-1)
    with pytest.raises(whimbrel.InvalidArgumentError):
        await client.debug_fail(code=1, timeout=float("nan"))


def test_every_event_is_a_documented_class() -> None:
    for event in API["events"]:
        record = event["schema"]["$ref"].rsplit("/", 1)[1]
        kind = getattr(whimbrel, record)
        assert issubclass(kind, whimbrel.Event)
        assert (kind.kind, kind.journaled) == (event["name"], event["journaled"])
        assert kind.__doc__ is not None and kind.__doc__.startswith("Emitted ")


def test_events_of_later_versions_are_read() -> None:
    from whimbrel._events import decode

    head = {"id": "", "recordedAtMs": 7}
    strange = decode({**head, "kind": "eclipse", "depth": 3}, b"")
    assert type(strange) is whimbrel.Event
    assert strange.recorded_at_ms == 7
    state = decode({**head, "kind": "connection", "state": "dreaming", "dream": 1}, b"")
    assert isinstance(state, whimbrel.ConnectionChanged)
    assert state.state is whimbrel.ConnectionStateName.UNKNOWN


def test_every_operation_is_a_documented_method() -> None:
    for operation in API["operations"]:
        method = getattr(whimbrel.Client, operation["name"])
        assert method.__doc__ and "Args:" in method.__doc__


def test_a_qr_text_can_be_drawn() -> None:
    lines = whimbrel.draw_qr("2@abc").splitlines()
    assert len({len(line) for line in lines}) == 1
    with pytest.raises(whimbrel.InvalidArgumentError):
        whimbrel.draw_qr("x" * 8000)
