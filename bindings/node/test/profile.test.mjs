// Profiles, user names, links to people, limits and reports.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { Sandbox, link, nextEvent, pair } from './sandbox.mjs'

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

test('names and abouts', async (t) => {
  const { client, own, friend } = await linked(t)
  await client.setAbout({ text: 'on the pond' })
  assert.equal((await client.getAbout({})).text, 'on the pond')
  await client.setAbout({ text: 'away', emoji: '🌊', expiresInSeconds: 3600 })
  const about = await client.getAbout({})
  assert.deepEqual([about.text, about.emoji, about.expiresInSeconds], ['away', '🌊', 3600])
  await assert.rejects(client.setAbout({ text: 'x'.repeat(140) }), { code: Code.InvalidArgument })
  const { change } = await client.setPushName({ name: 'Heron' })
  const written = await nextEvent(client, 'app_state_written')
  assert.deepEqual([written.change, written.error], [change, null])
  await friend.send(own.jid, 'hello')
  await nextEvent(client, 'message')
  await friend.ask('POST', '/about', { text: 'by the lake' })
  const changed = await nextEvent(
    client,
    (event) => event.kind === 'about_changed' && event.who.id === friend.lid,
  )
  assert.equal(changed.about.text, 'by the lake')
  assert.equal((await client.getAbout({ person: friend.jid })).text, 'by the lake')
})

test('user names and links', async (t) => {
  const { anna, ben, own } = await pair(t, sandbox, engine)
  const username = `heron.${own.number.slice(-6)}`
  assert.equal((await anna.checkUsername({ username })).available, true)
  assert.equal((await anna.checkUsername({ username: 'www.heron' })).problem, 'www')
  await anna.setUsername({ username })
  assert.equal((await anna.getUsername()).username, username)
  await assert.rejects(ben.setUsername({ username }), { code: Code.Refused })
  await anna.setUsernameKey({ key: '1234' })
  assert.equal((await ben.findUsername({ username })).keyNeeded, true)
  assert.equal((await ben.findUsername({ username, key: '1234' })).who.id, own.lid)
  await anna.deleteUsername()
  assert.equal((await ben.findUsername({ username })).who, null)

  const mine = await anna.getContactLink()
  assert.equal((await ben.resolveContactLink({ link: mine.link })).who.phone, own.jid)
  assert.notEqual((await anna.getContactLink({ renew: true })).code, mine.code)
  await assert.rejects(ben.resolveContactLink({ link: mine.code }), { code: Code.NotFound })
  const { code } = await own.ask('POST', '/message-link', { text: 'a boat' })
  const message = await ben.resolveMessageLink({ link: `https://wa.me/message/${code}` })
  assert.deepEqual([message.text, message.who.phone], ['a boat', own.jid])
})

test('limits and reports', async (t) => {
  const { client, own, friend } = await linked(t)
  const limits = await client.getLimits()
  assert.deepEqual([limits.reachoutLocked, limits.newChats.status], [false, 'NONE'])
  await friend.send(own.jid, 'buy this')
  const { messageId } = await nextEvent(client, 'message')
  const { reportId } = await client.reportSpam({ chat: friend.jid, messageIds: [messageId] })
  assert.ok(reportId)
  const missing = client.reportSpam({ chat: friend.jid, messageIds: ['NONE'] })
  await assert.rejects(missing, { code: Code.NotFound })
})
