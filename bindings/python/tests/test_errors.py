"""Each bad input and each bad state has an error of its own."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
from pathlib import Path

import pytest
from sandbox import DEADLINE, Sandbox

import whimbrel


async def test_a_wrong_phone_number(engine: whimbrel.Engine) -> None:
    async with whimbrel.Client(":memory:", engine=engine, auto_start=False) as client:
        for number in ("", "12", "0155500012", "phone", "+1555x0001234"):
            with pytest.raises(whimbrel.InvalidArgumentError):
                await client.link_with_code(phone=number)
            with pytest.raises(whimbrel.InvalidArgumentError):
                await client.send_text(chat=number, text="hello")
        with pytest.raises(whimbrel.InvalidArgumentError):
            await client.mark_read(chat="1@nowhere", message_ids=["A"])


async def test_an_unlinked_client(engine: whimbrel.Engine) -> None:
    async with whimbrel.Client(":memory:", engine=engine, auto_start=False) as client:
        with pytest.raises(whimbrel.NotLinkedError):
            await client.send_text(chat="15550001234", text="hello")
        with pytest.raises(whimbrel.NotLinkedError):
            await client.connect()
        with pytest.raises(whimbrel.NotLinkedError):
            await client.get_account()


async def test_a_closed_client(engine: whimbrel.Engine) -> None:
    client = whimbrel.Client(":memory:", engine=engine, auto_start=False)
    with pytest.raises(whimbrel.WrongStateError, match="not open"):
        await client.get_connection()
    async with client:
        with pytest.raises(whimbrel.WrongStateError, match="opened before"):
            await client.open()
    await client.close()
    with pytest.raises(whimbrel.ClosedError):
        await client.connect()
    with pytest.raises(whimbrel.ClosedError):
        await client.send_text(chat="15550001234", text="hello")
    # Also what needs no service and no store.
    for look in (
        client.get_account,
        client.get_client_version,
        client.get_connection,
        client.get_statistics,
        client.disconnect,
    ):
        with pytest.raises(whimbrel.ClosedError):
            await look()


async def test_a_closed_engine() -> None:
    engine = whimbrel.Engine()
    await engine.aclose()
    with pytest.raises(whimbrel.ClosedError):
        async with whimbrel.Client(":memory:", engine=engine):
            pass
    await engine.aclose()


async def test_a_corrupt_store(engine: whimbrel.Engine, tmp_path: Path) -> None:
    path = tmp_path / "corrupt.db"
    path.write_bytes(os.urandom(8192))
    with pytest.raises(whimbrel.StoreCorruptError):
        await whimbrel.Client(path, engine=engine).open()


async def test_a_newer_store(engine: whimbrel.Engine, tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    async with whimbrel.Client(path, engine=engine, auto_start=False):
        pass
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 999")
    database.close()
    with pytest.raises(whimbrel.StoreTooNewError):
        await whimbrel.Client(path, engine=engine).open()


async def test_a_locked_store(engine: whimbrel.Engine, tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    async with whimbrel.Client(path, engine=engine, auto_start=False):
        with pytest.raises(whimbrel.StoreLockedError):
            await whimbrel.Client(path, engine=engine).open()


async def test_a_store_that_cannot_be(engine: whimbrel.Engine, tmp_path: Path) -> None:
    client = whimbrel.Client(tmp_path / "missing" / "a.db", engine=engine)
    with pytest.raises(whimbrel.StoreFailedError):
        await client.open()
    # What did not open may be tried again.
    (tmp_path / "missing").mkdir()
    async with client:
        pass


async def test_an_unreachable_server() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        endpoint = whimbrel.Endpoint(url=f"ws://127.0.0.1:{unused.getsockname()[1]}/ws/chat")
        async with whimbrel.Client(":memory:", endpoint=endpoint, auto_start=False) as client:
            with pytest.raises(whimbrel.ConnectFailedError) as caught:
                await client.link_with_qr(timeout=1)
            assert caught.value.outcome is whimbrel.Outcome.NOT_SENT


async def test_a_certificate_by_another_root(sandbox: Sandbox) -> None:
    true = sandbox.endpoint()
    assert true.noise_root is not None
    key, serial = true.noise_root
    false = bytes([key[0] ^ 1]) + key[1:]
    other = whimbrel.Endpoint(
        url=true.url, extra_ca_pem=true.extra_ca_pem, noise_root=(false, serial)
    )
    async with whimbrel.Client(":memory:", endpoint=other, auto_start=False) as client:
        with pytest.raises(whimbrel.UntrustedServerError):
            await client.link_with_qr(timeout=DEADLINE)


async def test_a_wrong_endpoint() -> None:
    with pytest.raises(whimbrel.InvalidArgumentError):
        whimbrel.Engine(endpoint=whimbrel.Endpoint(url="http://127.0.0.1/"))
    with pytest.raises(whimbrel.InvalidArgumentError):
        whimbrel.Engine(endpoint=whimbrel.Endpoint(noise_root=(b"short", 0)))
    with pytest.raises(whimbrel.WrongStateError):
        whimbrel.Client("a.db", engine=whimbrel.default_engine(), endpoint=whimbrel.Endpoint())


def test_another_loop(engine: whimbrel.Engine) -> None:
    client = whimbrel.Client(":memory:", engine=engine, auto_start=False)
    first = asyncio.new_event_loop()
    first.run_until_complete(client.open())

    async def use() -> None:
        with pytest.raises(whimbrel.WrongStateError, match="another event loop"):
            await client.get_connection()
        with pytest.raises(whimbrel.WrongStateError, match="another event loop"):
            await client.close()

    asyncio.run(use())
    first.run_until_complete(client.close())
    first.close()
