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
