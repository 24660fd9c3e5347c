// Looking up what was said, and what the phone remembers.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { DEADLINE, Sandbox, link, nextEvent } from './sandbox.mjs'

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

async function open(t, options = {}) {
  const client = await Client.open(':memory:', { engine, autoStart: false, ...options })
  t.after(() => client.close())
  return client
}

test('the history of the phone can be looked up', async (t) => {
  const [client, phone] = await Promise.all([open(t), sandbox.phone()])
  await phone.ask('POST', '/past', { chats: 3, messages: 80, recent: 20, uploaded: true })
  await link(client, phone)
  const piece = await nextEvent(client, (event) => event.kind === 'history' && event.messages > 0 && event.history === 'recent')
  assert.deepEqual([piece.messages, piece.chats, piece.error], [60, 3, null])

  const chats = (await client.findChats({})).items
  const friend = chats.find((chat) => chat.name === 'Friend 1')
  const page = await client.findMessages({ chat: friend.chat, limit: 15 })
  assert.equal(page.items.length, 15)
  assert.equal(page.items[0].content.type, 'text')
  const rest = await client.findMessages({ chat: friend.chat, limit: 15, cursor: page.next })
  assert.deepEqual([rest.items.length, rest.next], [5, null])
  const found = await client.findMessages({ text: rest.items.at(-1).text })
  assert.ok(found.items.some((message) => message.messageId === rest.items.at(-1).messageId))
  assert.equal((await client.findContacts({ name: 'friend' })).items.length, 3)

  const older = await client.requestHistory({ chat: friend.chat }, { timeoutMs: DEADLINE })
  assert.equal(older.messages, 50)
  assert.equal((await client.findMessages({ chat: friend.chat, limit: 100 })).items.length, 70)

  await assert.rejects(client.requestFullHistory({}, { timeoutMs: DEADLINE }), { code: Code.NotSupported })
  await phone.ask('POST', '/switches', { full_history: 'give' })
  const { requestId } = await client.requestFullHistory({}, { timeoutMs: DEADLINE })
  const full = await nextEvent(client, (event) => event.kind === 'history' && event.history === 'full')
  assert.deepEqual([full.requestId, full.messages], [requestId, 240])
})

test('what stands beside the messages is kept', async (t) => {
  const [client, phone] = await Promise.all([open(t, { archiveDays: 5 }), sandbox.phone()])
  await phone.ask('POST', '/past', { chats: 6, messages: 20, extras: true })
  await link(client, phone)
  await nextEvent(client, (event) => event.kind === 'history' && event.messages > 0 && event.history === 'recent')
  const chats = new Map((await client.findChats({})).items.map((chat) => [chat.name, chat.chat]))
  const friend = chats.get('Friend 0')
  const { items: pinned } = await client.findMessages({ chat: friend, pinned: true })
  assert.equal(pinned.length, 1)
  assert.ok(pinned[0].pinned.until > pinned[0].timestamp)
  const call = await client.getMessage({ chat: friend, messageId: 'CALL1' })
  assert.equal(call.content.type, 'call_log')
  const regatta = await client.getMessage({ chat: friend, messageId: 'PAST00000000000010' })
  assert.deepEqual([regatta.expected, regatta.answers[0].response], [3, 'going'])
  const { items: left } = await client.findPastMembers({ chat: chats.get('Group 4') })
  assert.deepEqual(left.map((member) => member.removed), [false, true])
  const { items: [latest, other] } = await client.listRecentStickers()
  assert.ok(latest.usedAtMs > other.usedAtMs)
  const somebody = (await sandbox.phone()).jid
  const sent = await client.sendMessage({ chat: somebody, content: latest.sticker })
  assert.equal((await client.getMessage({ chat: somebody, messageId: sent.messageId })).content.type, 'sticker')
})

test('what is said and done is kept', async (t) => {
  const [client, phone, friend] = await Promise.all([open(t), sandbox.phone(), sandbox.phone()])
  await link(client, phone)
  const sent = await client.sendText({ chat: friend.jid, text: 'a red curlew' })
  await client.editMessage({ chat: friend.jid, targetId: sent.messageId, text: 'a green one' })
  const { items: [found] } = await client.findMessages({ text: 'GREEN' })
  assert.deepEqual([found.messageId, found.fromMe], [sent.messageId, true])
  const message = await client.getMessage({ chat: sent.chat, messageId: sent.messageId })
  assert.equal(message.text, 'a green one')
  assert.ok(message.editedAtMs)
  await assert.rejects(client.getMessage({ chat: sent.chat, messageId: 'ANOTHER' }), { code: Code.NotFound })
})

test('a client without an archive says so', async (t) => {
  const client = await open(t, { archive: false })
  await assert.rejects(client.findChats({}), { code: Code.NotSupported })
})
