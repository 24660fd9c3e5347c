"""Linking where the service demands a passkey."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from sandbox import DEADLINE, Sandbox, next_event

import whimbrel

# What an authenticator gives, with nothing in it that the sandbox would look at.
ASSERTION = json.dumps(
    {
        "id": "AQID",
        "rawId": "AQID",
        "type": "public-key",
        "response": {
            "clientDataJSON": "e30",
            "authenticatorData": "AA",
            "signature": "AA",
            "userHandle": "AA",
        },
    }
)


async def test_a_passkey_links_when_both_screens_show_the_same_code(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    phone = await sandbox.phone()
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        await client.link_with_qr(timeout=DEADLINE)
        with pytest.raises(whimbrel.WrongStateError):
            await client.answer_passkey(assertion=ASSERTION)
        demand = asyncio.to_thread(sandbox.request, "POST", "/passkey", {"with_options": True})
        assert await demand == {"companions": 1}
        required = await next_event(client, whimbrel.PasskeyRequired)
        assert required.options is not None
        answered, shown = await asyncio.gather(
            client.answer_passkey(assertion=ASSERTION, timeout=DEADLINE),
            phone.ask("POST", "/passkey"),
        )
        assert answered.code == shown["code"]
        await client.confirm_passkey(timeout=DEADLINE)
        linked = await next_event(client, whimbrel.Linked)
        assert linked.account.phone == phone.jid
        await client.connect(timeout=DEADLINE)

        who = await client.get_identity(address=f"+{phone.number}")
        assert (who.phone, who.lid) == (phone.jid, phone.lid)
        assert (await client.get_statistics()).undecryptable == []
