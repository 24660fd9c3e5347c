// Calls as far as they are signalling, businesses and bots.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { Sandbox, folder, link, nextEvent } from './sandbox.mjs'

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

/** A linked client and its phone. */
async function linked(t) {
  const client = await Client.open(':memory:', { engine, autoStart: false })
  t.after(() => client.close())
  const own = await sandbox.phone()
  await link(client, own)
  return { client, own }
}

test('calls are told and refused', async (t) => {
  const { client, own } = await linked(t)
  const friend = await sandbox.phone()
  const begin = { caller: friend.number, callee: own.number, video: true }
  const { id: callId } = await sandbox.ask('POST', '/calls', begin)
  const offer = await nextEvent(client, 'call_offered')
  assert.deepEqual([offer.callId, offer.caller.phone, offer.video], [callId, friend.jid, true])
  const caller = offer.caller.id
  await assert.rejects(client.acceptCall({ caller, callId }), { code: Code.NotSupported })
  await assert.rejects(client.startCall({ to: friend.jid }), { code: Code.NotSupported })
  const url = 'https://call.whatsapp.com/video/AbC'
  await assert.rejects(client.joinCallLink({ url }), { code: Code.NotSupported })
  await assert.rejects(client.joinCallLink({ url: 'https://example.org' }), { code: Code.InvalidArgument })
  await client.rejectCall({ caller, callId })
  assert.equal((await sandbox.ask('GET', `/calls/${callId}`)).state, 'rejected')
  const { id: missed } = await sandbox.ask('POST', '/calls', begin)
  await sandbox.ask('POST', `/calls/${missed}/give-up`)
  const ended = await nextEvent(client, 'call_ended')
  assert.deepEqual([ended.callId, ended.reason, ended.missed], [missed, 'timeout', true])
  const made = await client.createCallLink({ video: false })
  const preview = await client.previewCallLink({ url: made.url })
  assert.deepEqual([preview.link.token, preview.isAdmin], [made.token, true])
})

test('businesses say what they are and sell', async (t) => {
  const { client, own } = await linked(t)
  const business = own.jid
  assert.equal((await client.getBusinessProfile({ business })).isBusiness, false)
  await sandbox.ask('POST', `/phones/${own.number}/business`, { name: 'Finches Ltd' })
  assert.equal((await nextEvent(client, 'business_changed')).change, 'name')
  const hours = [{ day: 'mon', mode: 'open_24h' }]
  await client.editBusinessProfile({ address: 'Pond 1', timezone: 'Europe/Amsterdam', hours })
  const profile = await client.getBusinessProfile({ business })
  assert.deepEqual([profile.address, profile.hours[0].day], ['Pond 1', 'mon'])
  await client.removeCoverPhoto({ photo: '123' })
  const path = join(folder(t), 'cover.webp')
  writeFileSync(path, Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64'))
  const { photo } = await client.setCoverPhoto({ path })
  await client.removeCoverPhoto({ photo })
  const product = await client.putProduct({ name: 'Seeds', price: 4500, currency: 'EUR' })
  const { products } = await client.getCatalog({ business })
  assert.deepEqual(
    products.map(({ id }) => id),
    [product.id],
  )
  assert.equal((await client.getCollections({ business })).collections[0].products.length, 1)
  const ordered = { order: '1234', product: product.id }
  const { token } = await sandbox.ask('POST', `/phones/${own.number}/orders`, ordered)
  assert.equal((await client.getOrder({ order: '1234', token })).total, 4500)
  assert.equal((await client.deleteProducts({ products: [product.id] })).deleted, 1)
})

test('bots are listed', async (t) => {
  const { client } = await linked(t)
  await sandbox.ask('POST', '/bots', { jid: '867051314767696@bot', name: 'Finch' })
  const { bots } = await client.listBots({})
  assert.ok(bots.some(({ id }) => id === '867051314767696@bot'))
  const profiles = (await client.getBotProfiles({})).bots
  assert.ok(profiles.some(({ name }) => name === 'Finch'))
})
