// Each bad input and each bad state has an error of its own.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { DEADLINE, Sandbox, folder } from './sandbox.mjs'

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

async function open(t, path = ':memory:', options = {}) {
  const client = await Client.open(path, { engine, autoStart: false, ...options })
  t.after(() => client.close())
  return client
}

test('a wrong phone number or address', async (t) => {
  const client = await open(t)
  const wrong = { name: 'UsageError', code: Code.InvalidArgument, outcome: 'not_sent' }
  for (const phone of ['', '12', '0155500012', 'phone', '+1555x0001234']) {
    await assert.rejects(client.linkWithCode({ phone }), wrong)
    await assert.rejects(client.sendText({ chat: phone, text: 'hello' }), wrong)
  }
  await assert.rejects(client.markRead({ chat: '1@nowhere', messageIds: ['A'] }), wrong)
  await assert.rejects(client.sendText({ text: 'to nobody' }), wrong)
})

test('an unlinked client', async (t) => {
  const client = await open(t)
  const unlinked = { name: 'AccountError', code: Code.NotLinked }
  await assert.rejects(client.sendText({ chat: '15550001234', text: 'hello' }), unlinked)
  await assert.rejects(client.connect(), unlinked)
  await assert.rejects(client.getAccount(), unlinked)
  await assert.rejects(client.logout(), unlinked)
})

test('a closed client', async (t) => {
  const client = await open(t)
  await client.close()
  await client.close()
  const closed = { name: 'UsageError', code: Code.Closed }
  await assert.rejects(client.connect(), closed)
  await assert.rejects(client.sendText({ chat: '15550001234', text: 'hello' }), closed)
  // Also what needs no service and no store.
  for (const look of ['getAccount', 'getClientVersion', 'getConnection', 'getStatistics', 'disconnect']) {
    await assert.rejects(client[look](), closed, look)
  }
})

test('a closed engine', async () => {
  const other = new Engine()
  const client = await Client.open(':memory:', { engine: other, autoStart: false })
  await Promise.all([other.close(), other.close()])
  await other.close()
  const closed = { name: 'UsageError', code: Code.Closed }
  await assert.rejects(Client.open(':memory:', { engine: other }), closed)
  await assert.rejects(client.getConnection(), closed)
  await assert.rejects(client.events().next(), closed)
  await client.close()
})

test('a second loop over the events', async (t) => {
  const client = await open(t)
  const first = client.events()
  const waiting = first.next()
  const second = client.events()
  await assert.rejects(second.next(), { name: 'UsageError', code: Code.WrongState })
  await first.return()
  assert.deepEqual(await waiting, { done: true, value: undefined })
  const third = client.events()
  const next = third.next()
  await client.close()
  assert.equal((await next).value.kind, 'closed')
  assert.deepEqual(await third.next(), { done: true, value: undefined })
})

test('a corrupt store', async (t) => {
  const path = join(folder(t), 'corrupt.db')
  writeFileSync(path, randomBytes(8192))
  await assert.rejects(Client.open(path, { engine }), { name: 'StoreError', code: Code.StoreCorrupt })
})

test('a store by a newer version', async (t) => {
  const path = join(folder(t), 'newer.db')
  const client = await open(t, path)
  await client.close()
  // The store's version is SQLite's `user_version`: four bytes at offset 60 of the file.
  const bytes = readFileSync(path)
  bytes.writeUInt32BE(999, 60)
  writeFileSync(path, bytes)
  await assert.rejects(Client.open(path, { engine }), { name: 'StoreError', code: Code.StoreTooNew })
})

test('a store that is open already, or cannot be made', async (t) => {
  const path = join(folder(t), 'a.db')
  await open(t, path)
  await assert.rejects(Client.open(path, { engine }), { name: 'StoreError', code: Code.StoreLocked })
  const nowhere = join(folder(t), 'missing', 'b.db')
  await assert.rejects(Client.open(nowhere, { engine }), (error) => {
    assert.equal(error.code, Code.StoreFailed)
    assert.ok(error.cause instanceof Error, 'the cause is told')
    return true
  })
})

test('an unreachable server', async (t) => {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  const other = new Engine({ endpoint: { url: `ws://127.0.0.1:${port}/ws/chat` } })
  t.after(() => other.close())
  const client = await Client.open(':memory:', { engine: other, autoStart: false })
  await assert.rejects(client.linkWithQr({ timeoutMs: 700 }), {
    name: 'NetworkError',
    code: Code.ConnectFailed,
    operation: 'link_with_qr',
    outcome: 'not_sent',
  })
})

test('a silent server', async (t) => {
  const sockets = new Set()
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})))
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const other = new Engine({ endpoint: { url: `ws://127.0.0.1:${server.address().port}/ws/chat` } })
  t.after(() => other.close())
  const client = await Client.open(':memory:', { engine: other, autoStart: false })
  const started = Date.now()
  await assert.rejects(client.linkWithQr({ timeoutMs: 300 }), { name: 'NetworkError', outcome: 'not_sent' })
  assert.ok(Date.now() - started >= 299, 'the call waits until its deadline')
})

test('a certificate by another root', async (t) => {
  const { publicKey, serial } = sandbox.endpoint.noiseRoot
  const digits = publicKey.startsWith('0') ? '1' : '0'
  const noiseRoot = { publicKey: digits + publicKey.slice(1), serial }
  const other = new Engine({ endpoint: { ...sandbox.endpoint, noiseRoot } })
  t.after(() => other.close())
  const client = await Client.open(':memory:', { engine: other, autoStart: false })
  await assert.rejects(client.linkWithQr({ timeoutMs: DEADLINE }), {
    name: 'NetworkError',
    code: Code.UntrustedServer,
  })
})
