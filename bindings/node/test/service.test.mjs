// What lies between a client and the service: its version, a proxy, restrictions, pairing codes.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { after, before, test } from 'node:test'

import { Client, Code, Engine, WhimbrelError } from 'whimbrel'

import { Sandbox, link, nextEvent } from './sandbox.mjs'

// What the service wants from some day on, newer than any that was built in.
const WANTED = [2, 3000, 2_000_000_000]

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

async function opened(t, options) {
  const client = await Client.open(':memory:', { engine, autoStart: false, ...options })
  t.after(() => client.close())
  return client
}

/** How a call fails. */
async function failure(call) {
  const error = await call.then(
    () => assert.fail('it did not fail'),
    (error) => error,
  )
  assert.ok(error instanceof WhimbrelError)
  return error
}

test('a version is set, found and refused', async (t) => {
  // What concerns all clients has a sandbox of its own.
  const strict = await Sandbox.start()
  const { url: versionUrl } = await strict.ask('POST', '/version', {})
  const engine = new Engine({ endpoint: { ...strict.endpoint, versionUrl }, findVersion: false })
  t.after(async () => {
    await engine.close()
    await strict.stop()
  })
  const client = await opened(t, { engine })
  await link(client, await strict.phone())
  const builtIn = await client.getClientVersion()
  assert.equal(builtIn.source, 'built_in')

  await client.disconnect()
  await strict.ask('POST', '/version', { min: WANTED })
  const outdated = await failure(client.connect())
  assert.deepEqual([outdated.code, outdated.serviceStatus], [Code.ClientOutdated, 405])
  assert.equal((await nextEvent(client, 'connection_refused')).serviceStatus, 405)
  // The page is not there.
  const missing = await failure(client.findClientVersion())
  assert.deepEqual([missing.code, missing.serviceStatus], [Code.Refused, 404])

  const { version, source } = await client.setClientVersion({ version: WANTED })
  assert.deepEqual([version, source], [WANTED, 'host'])
  await client.connect()

  // Left to the engine again, it is found when the host asks.
  await client.disconnect()
  const newer = [2, 3000, 2_000_000_009]
  await strict.ask('POST', '/version', { min: newer, revision: newer[2] })
  assert.deepEqual(await client.setClientVersion({}), builtIn)
  const found = await client.findClientVersion()
  assert.deepEqual([found.version, found.source], [newer, 'found'])
  await client.connect()
  await assert.rejects(client.setClientVersion({ version: [1, 2] }), { code: Code.InvalidArgument })
})

test('only the service has a page, unless one is named', async (t) => {
  const client = await opened(t)
  await assert.rejects(client.findClientVersion(), { code: Code.NotSupported })
})

/** A proxy of the CONNECT kind on loopback, and what it was asked. */
async function proxy(t) {
  const heads = []
  const sockets = new Set()
  const server = createServer((near) => {
    sockets.add(near)
    near.on('error', () => {})
    near.once('data', (head) => {
      heads.push(head.toString())
      const [, host, port] = /^CONNECT (\S+):(\d+) /.exec(head)
      const far = connect(Number(port), host, () => near.write('HTTP/1.1 200 Connected\r\n\r\n'))
      sockets.add(far)
      far.on('error', () => near.destroy())
      near.pipe(far).pipe(near)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { heads, port: server.address().port }
}

test("everything goes through a client's proxy", async (t) => {
  const { heads, port } = await proxy(t)
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  const client = await opened(t, { proxy: `http://anna:secret@127.0.0.1:${port}` })
  await link(client, phone)
  const connections = heads.length
  assert.ok(connections > 0)
  await client.sendText({ chat: friend.jid, text: 'the long way' })
  await friend.message('the long way')
  await client.upload(Buffer.from('a file'), { kind: 'document' })
  assert.ok(heads.length > connections)
  const credentials = `Basic ${Buffer.from('anna:secret').toString('base64')}`
  for (const head of heads) assert.ok(head.startsWith('CONNECT ') && head.includes(credentials), head)

  await assert.rejects(opened(t, { proxy: 'socks4://127.0.0.1:1' }), { code: Code.NotSupported })
  await assert.rejects(opened(t, { proxy: 'http://' }), { code: Code.InvalidArgument })
})

test('a restriction is told and holds new chats back', async (t) => {
  const [own, known, stranger] = await Promise.all([sandbox.phone(), sandbox.phone(), sandbox.phone()])
  const client = await opened(t)
  await link(client, own)
  await client.sendText({ chat: known.jid, text: 'hello' })
  const restriction = { phone: own.number, kind: 'reachout_timelock' }
  await sandbox.ask('POST', '/restrict', { ...restriction, lasts_s: 3600 })

  const toStranger = () => client.sendText({ chat: stranger.jid, text: 'hello' })
  const refused = await failure(toStranger())
  assert.deepEqual([refused.code, refused.serviceStatus, refused.outcome], [Code.Restricted, 463, 'refused'])
  let told = await nextEvent(client, 'restriction')
  assert.deepEqual([told.restriction, told.active], ['reachout_timelock', true])
  while (!told.until) told = await nextEvent(client, 'restriction')
  // The engine does not let the next one get that far.
  const held = await failure(toStranger())
  assert.deepEqual([held.code, held.serviceStatus, held.outcome], [Code.Restricted, 0, 'not_sent'])
  assert.ok(held.retryAfterMs > 0 && held.retryAfterMs <= 3_600_000)
  await client.sendText({ chat: known.jid, text: 'still here' })

  await sandbox.ask('POST', '/restrict/lift', { ...restriction, announce: true })
  await nextEvent(client, (event) => event.kind === 'restriction' && !event.active)
  await toStranger()
  await stranger.message('hello')
})

test('a pairing code is renewed', async (t) => {
  const phone = await sandbox.phone()
  const client = await opened(t)
  const first = await client.linkWithCode({ phone: phone.number })
  await sandbox.ask('POST', '/refresh-code', { phone: phone.number })
  const renewed = await nextEvent(client, 'pairing_code')
  assert.ok(renewed.code !== first.code && renewed.validForMs > 0)
  await phone.enterCode(renewed.code)
  assert.equal((await nextEvent(client, 'linked')).account.phone, phone.jid)
})
