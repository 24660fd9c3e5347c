// The block list.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { Sandbox, link, nextEvent } from './sandbox.mjs'

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

test('people are blocked, and the phone is followed', async (t) => {
  const client = await Client.open(':memory:', { engine, autoStart: false })
  t.after(() => client.close())
  const [own, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  await link(client, own)
  const ids = (people) => people.map(({ id }) => id)
  assert.deepEqual((await client.getBlocked()).people, [])
  await client.block({ person: friend.jid })
  assert.deepEqual(ids((await client.getBlocked()).people), [friend.lid])
  await client.unblock({ person: friend.lid })
  assert.deepEqual((await client.getBlocked({ fresh: true })).people, [])
  await assert.rejects(client.block({ person: own.jid }), { code: Code.InvalidArgument })
  await own.ask('POST', '/block', { person: friend.number, blocked: true })
  const { blocked, unblocked } = await nextEvent(client, 'blocked_changed')
  assert.deepEqual([ids(blocked), unblocked], [[friend.lid], []])
})
