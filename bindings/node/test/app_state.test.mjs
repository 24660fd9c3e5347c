// What the account's devices share: chats, contacts, labels and settings.

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

async function written(client, { change }) {
  const event = await nextEvent(client, (event) => event.kind === 'app_state_written' && event.change === change)
  return event.error
}

test('the phone sees what is changed here, and the other way round', async (t) => {
  const client = await Client.open(':memory:', { engine, autoStart: false })
  t.after(() => client.close())
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  await link(client, phone)
  assert.equal(await written(client, await client.archiveChat({ chat: friend.jid, archived: true })), null)
  const label = await client.editLabel({ name: 'friends', color: 3 })
  assert.equal(await written(client, label), null)
  const given = await client.labelChat({ label: label.label, chat: friend.jid, labelled: true })
  assert.equal(await written(client, given), null)
  assert.equal(await written(client, await client.setSetting({ pushName: 'Anna B' })), null)
  const { items: [chat] } = await client.findChats({ archived: true, label: label.label })
  assert.deepEqual([chat.chat.phone, chat.labels], [friend.jid, [label.label]])
  assert.deepEqual((await client.listLabels({})).items.map(({ name }) => name), ['friends'])
  const held = await phone.ask('GET', '/app-state')
  const names = held.items.map(({ index }) => index[0])
  for (const name of ['archive', 'label_edit', 'label_jid', 'setting_pushName']) assert.ok(names.includes(name), name)
  assert.deepEqual(held.violations, [])

  const value = { muteAction: { muted: true, muteEndTimestamp: -1 } }
  await phone.ask('POST', '/app-state', { index: ['mute', friend.jid], value })
  const muted = await nextEvent(client, (event) => event.kind === 'chat_changed' && event.change === 'muted')
  assert.deepEqual([muted.enabled, muted.untilMs, muted.own], [true, -1, false])
  await assert.rejects(client.setSetting({ pushName: 'A', locale: 'en' }), { code: Code.InvalidArgument })
})

test('everything that devices share is changed', async (t) => {
  const client = await Client.open(':memory:', { engine, autoStart: false })
  t.after(() => client.close())
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  await link(client, phone)
  const chat = friend.jid
  const message = { messageId: await friend.send(phone.jid, 'keep this') }
  const gone = { messageId: await friend.send(phone.jid, 'not this') }
  await nextEvent(client, (event) => event.kind === 'message' && event.messageId === gone.messageId)
  const { label } = await client.editLabel({ name: 'friends', color: 3 })
  const { label: other } = await client.editLabel({ name: 'others', color: 4 })
  const reply = await client.editQuickReply({ shortcut: 'hi', message: 'hello there' })
  const kept = await client.editQuickReply({ shortcut: 'bye', message: 'until then', keywords: ['end'] })
  assert.equal(await written(client, kept), null)
  const value = JSON.stringify({ timeFormatAction: { isTwentyFourHourFormatEnabled: true } })
  const changes = [
    await client.pinChat({ chat, pinned: true }),
    await client.muteChat({ chat, muted: true, untilMs: 4_000_000_000_000 }),
    await client.markChat({ chat, read: false }),
    await client.lockChat({ chat, locked: true }),
    await client.starMessages({ chat, messages: [message], starred: true }),
    await client.deleteMessageForMe({ chat, message: gone }),
    await client.muteStatus({ person: chat, muted: true }),
    await client.saveContact({ person: chat, name: 'Ben Bird', firstName: 'Ben' }),
    await client.setFavorites({ chats: [chat] }),
    await client.labelMessage({ label, chat, message, labelled: true }),
    await client.orderLabels({ labels: [other, label] }),
    await client.deleteLabel({ label: other }),
    await client.deleteQuickReply({ id: reply.id }),
    await client.changeAppState({ collection: 'regular_low', index: ['time_format'], version: 7, value }),
  ]
  const waiting = new Set(changes.map(({ change }) => change))
  while (waiting.size > 0) {
    const told = await nextEvent(client, 'app_state_written')
    assert.equal(told.error, null)
    waiting.delete(told.change)
  }
  const { items: [left] } = await client.listQuickReplies()
  assert.deepEqual([left.id, left.message, left.keywords], [kept.id, 'until then', ['end']])
  const { items: [found] } = await client.findChats({ chat })
  // Who locks a chat lets go of its pin.
  assert.deepEqual([found.locked, found.mutedUntil, found.pinnedAt ?? null], [true, 4_000_000_000, null])
  const { items: [contact] } = await client.findContacts({ person: chat })
  assert.equal(contact.name, 'Ben Bird')
  const held = await phone.ask('GET', '/app-state')
  const names = held.items.map(({ index }) => index[0])
  for (const name of ['pin_v1', 'mute', 'lock', 'star', 'userStatusMute', 'contact']) assert.ok(names.includes(name), name)
  for (const name of ['favorites', 'label_message', 'deleteMessageForMe', 'time_format']) assert.ok(names.includes(name), name)

  assert.equal(await written(client, await client.removeContact({ person: chat })), null)
  assert.equal(await written(client, await client.clearChat({ chat, starred: false })), null)
  assert.equal(await written(client, await client.deleteChat({ chat })), null)
  assert.deepEqual((await client.findMessages({ chat })).items, [])
  assert.deepEqual(held.violations, [])
})
