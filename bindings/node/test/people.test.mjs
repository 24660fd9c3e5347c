// People: who is registered, what they say of themselves, who is online and who writes.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { DEADLINE, Sandbox, link, nextEvent } from './sandbox.mjs'

// Nobody's number.
const NOBODY = '31600000000'

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

/** A linked client, its phone, and the phone of a friend. */
async function linked(t) {
  const client = await Client.open(':memory:', { engine, autoStart: false })
  t.after(() => client.close())
  const [own, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  await link(client, own)
  return { client, own, friend }
}

test('numbers and people are looked up', async (t) => {
  const { client, friend } = await linked(t)
  const { numbers } = await client.checkNumbers({ numbers: [`+${friend.number}`, NOBODY] })
  assert.deepEqual(
    numbers.map(({ number, status }) => [number, status]),
    [
      [`+${friend.number}`, 'registered'],
      [NOBODY, 'not_registered'],
    ],
  )
  assert.equal(numbers[0].who.id, friend.lid)
  assert.equal(numbers[0].who.phone, friend.jid)
  await assert.rejects(client.checkNumbers({ numbers: [] }), { code: Code.InvalidArgument })

  await friend.ask('POST', '/about', { text: 'on the pond' })
  const { people } = await client.getUserInfo({ people: [friend.jid, NOBODY] })
  assert.deepEqual(
    people.map((info) => info.exists),
    [true, false],
  )
  assert.equal(people[0].about.text, 'on the pond')
  assert.deepEqual(people[0].devices, [0])
})

test('presence and writing both ways', async (t) => {
  const { client, own, friend } = await linked(t)
  await client.setPresence({ availability: 'available' })
  await client.watchPresence({ address: friend.jid })
  const away = await nextEvent(client, 'presence')
  assert.deepEqual([away.who.phone, away.available, away.lastSeenHidden], [friend.jid, false, false])
  await friend.ask('POST', '/presence', { available: true, watch: own.jid })
  assert.equal((await nextEvent(client, 'presence')).available, true)
  assert.equal((await friend.sign('available')).from, own.lid)

  await client.setChatState({ chat: friend.jid, state: 'recording' })
  assert.equal((await friend.sign('recording')).chat, own.lid)
  await friend.ask('POST', '/chat-state', { chat: own.jid, state: 'composing' })
  const writes = await nextEvent(client, 'chat_state')
  assert.deepEqual([writes.sender.id, writes.state], [friend.lid, 'composing'])

  await client.unwatchPresence({ address: friend.lid })
  await client.setPresence({ availability: 'unavailable' }, { timeoutMs: DEADLINE })
  assert.equal((await friend.sign('unavailable')).from, own.lid)
  await assert.rejects(client.watchPresence({ address: NOBODY }), { code: Code.NotFound })
})
