"""What lies between a client and the service: its version, a proxy, restrictions, pairing codes."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sandbox import DEADLINE, Sandbox, link, next_event

import whimbrel

# What the service wants from some day on, newer than any that was built in.
WANTED = [2, 3000, 2_000_000_000]


@pytest.fixture
def strict() -> Iterator[Sandbox]:
    """A sandbox of its own, for what concerns all clients."""
    running = Sandbox()
    yield running
    running.stop()


async def ask(sandbox: Sandbox, path: str, body: dict[str, Any]) -> Any:
    return await asyncio.to_thread(sandbox.request, "POST", path, body)


async def test_a_version_is_set_found_and_refused(strict: Sandbox, tmp_path: Path) -> None:
    page = (await ask(strict, "/version", {}))["url"]
    endpoint = dataclasses.replace(strict.endpoint(), version_url=page)
    with whimbrel.Engine(endpoint=endpoint, find_version=False) as engine:
        async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
            await link(client, await strict.phone())
            built_in = await client.get_client_version()
            assert built_in.source is whimbrel.VersionSource.BUILT_IN

            await client.disconnect()
            await ask(strict, "/version", {"min": WANTED})
            with pytest.raises(whimbrel.ClientOutdatedError) as outdated:
                await client.connect(timeout=DEADLINE)
            assert outdated.value.service_status == 405
            refused = await next_event(client, whimbrel.ConnectionRefused)
            assert refused.service_status == 405
            # The page is not there.
            with pytest.raises(whimbrel.RefusedError) as missing:
                await client.find_client_version()
            assert missing.value.service_status == 404

            version = await client.set_client_version(version=WANTED)
            assert (version.version, version.source) == (WANTED, whimbrel.VersionSource.HOST)
            await client.connect(timeout=DEADLINE)

            # Left to the engine again, it is found when the host asks.
            await client.disconnect()
            newer = [2, 3000, 2_000_000_009]
            await ask(strict, "/version", {"min": newer, "revision": newer[2]})
            assert await client.set_client_version(version=None) == built_in
            found = await client.find_client_version()
            assert (found.version, found.source) == (newer, whimbrel.VersionSource.FOUND)
            await client.connect(timeout=DEADLINE)
            with pytest.raises(whimbrel.InvalidArgumentError):
                await client.set_client_version(version=[1, 2])


async def test_only_the_service_has_a_page_unless_one_is_named(
    engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        with pytest.raises(whimbrel.NotSupportedError):
            await client.find_client_version()


@asynccontextmanager
async def proxy(heads: list[str]) -> AsyncIterator[int]:
    """A proxy of the CONNECT kind on loopback; yields its port, and notes what it is asked."""
    tasks: set[asyncio.Task[None]] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heads.append(head)
        host, port = head.split()[1].rsplit(":", 1)
        there = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.gather(*tasks)


async def test_everything_goes_through_a_clients_proxy(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    heads: list[str] = []
    phone, friend = await sandbox.phone(), await sandbox.phone()
    async with proxy(heads) as port:
        async with whimbrel.Client(
            tmp_path / "a.db",
            engine=engine,
            auto_start=False,
            proxy=f"http://anna:secret@127.0.0.1:{port}",
        ) as client:
            await link(client, phone)
            connections = len(heads)
            assert connections
            await client.send_text(chat=friend.jid, text="the long way", timeout=DEADLINE)
            await friend.message("the long way")
            await client.upload(b"a file", whimbrel.MediaKind.DOCUMENT)
            assert len(heads) > connections
    credentials = base64.b64encode(b"anna:secret").decode()
    for head in heads:
        assert head.startswith("CONNECT ") and f"Basic {credentials}" in head

    for wrong, error in (
        ("socks4://127.0.0.1:1", whimbrel.NotSupportedError),
        ("http://", whimbrel.InvalidArgumentError),
    ):
        with pytest.raises(error):
            await whimbrel.Client(tmp_path / "b.db", engine=engine, proxy=wrong).open()


async def test_a_restriction_is_told_and_holds_new_chats_back(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    own, known, stranger = await sandbox.phone(), await sandbox.phone(), await sandbox.phone()
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        await link(client, own)
        await client.send_text(chat=known.jid, text="hello", timeout=DEADLINE)
        kind = {"phone": own.number, "kind": "reachout_timelock"}
        await ask(sandbox, "/restrict", {**kind, "lasts_s": 3600})

        with pytest.raises(whimbrel.RestrictedError) as refused:
            await client.send_text(chat=stranger.jid, text="hello", timeout=DEADLINE)
        assert refused.value.service_status == 463
        assert refused.value.outcome == "refused"
        told = await next_event(client, whimbrel.Restriction)
        assert told.active and told.restriction is whimbrel.RestrictionType.REACHOUT_TIMELOCK
        while told.until is None:
            told = await next_event(client, whimbrel.Restriction)
        # The engine does not let the next one get that far.
        with pytest.raises(whimbrel.RestrictedError) as held:
            await client.send_text(chat=stranger.jid, text="hello", timeout=DEADLINE)
        assert held.value.service_status == 0 and held.value.outcome == "not_sent"
        assert held.value.retry_after_ms is not None
        assert 0 < held.value.retry_after_ms <= 3_600_000
        await client.send_text(chat=known.jid, text="still here", timeout=DEADLINE)

        await ask(sandbox, "/restrict/lift", {**kind, "announce": True})
        while (told := await next_event(client, whimbrel.Restriction)).active:
            pass
        await client.send_text(chat=stranger.jid, text="at last", timeout=DEADLINE)
        await stranger.message("at last")


async def test_a_pairing_code_is_renewed(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone = await sandbox.phone()
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        first = await client.link_with_code(phone=phone.number, timeout=DEADLINE)
        await ask(sandbox, "/refresh-code", {"phone": phone.number})
        renewed = await next_event(client, whimbrel.PairingCodeChanged)
        assert renewed.code != first.code and renewed.valid_for_ms > 0
        await phone.enter_code(renewed.code)
        linked = await next_event(client, whimbrel.Linked)
        assert linked.account.phone == phone.jid
