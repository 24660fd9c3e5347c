"""Businesses and bots."""

from __future__ import annotations

import base64
from pathlib import Path

from sandbox import Sandbox, link, next_event

import whimbrel

WEBP = base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")


async def test_businesses_say_what_they_are_and_sell(
    sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path
) -> None:
    async with whimbrel.Client(tmp_path / "a.db", engine=engine, auto_start=False) as client:
        own = await sandbox.phone()
        await link(client, own)
        assert not (await client.get_business_profile(business=own.jid)).is_business
        sandbox.request("POST", f"/phones/{own.number}/business", {"name": "Finches Ltd"})
        changed = await next_event(client, whimbrel.BusinessChanged)
        assert changed.change is whimbrel.BusinessChangeType.NAME
        hours = whimbrel.BusinessHours(day="mon", mode="open_24h")
        await client.edit_business_profile(address="Pond 1", timezone="Europe/Amsterdam", hours=[hours])
        profile = await client.get_business_profile(business=own.jid)
        assert (profile.address, [day.day for day in profile.hours]) == ("Pond 1", ["mon"])
        await client.remove_cover_photo(photo="123")
        picture = tmp_path / "cover.webp"
        picture.write_bytes(WEBP)
        cover = await client.set_cover_photo(path=str(picture))
        await client.remove_cover_photo(photo=cover.photo)
        product = await client.put_product(name="Seeds", price=4500, currency="EUR")
        page = await client.get_catalog(business=own.jid)
        assert [one.id for one in page.products] == [product.id]
        collections = (await client.get_collections(business=own.jid)).collections
        assert [len(one.products) for one in collections] == [1]
        body = {"order": "1234", "product": product.id}
        token = sandbox.request("POST", f"/phones/{own.number}/orders", body)["token"]
        assert (await client.get_order(order="1234", token=token)).total == 4500
        assert (await client.delete_products(products=[product.id])).deleted == 1


async def test_bots_are_listed(sandbox: Sandbox, engine: whimbrel.Engine, tmp_path: Path) -> None:
    async with whimbrel.Client(tmp_path / "b.db", engine=engine, auto_start=False) as client:
        await link(client, await sandbox.phone())
        sandbox.request("POST", "/bots", {"jid": "867051314767696@bot", "name": "Finch"})
        assert "867051314767696@bot" in {bot.id for bot in (await client.list_bots()).bots}
        assert "Finch" in {bot.name for bot in (await client.get_bot_profiles()).bots}
