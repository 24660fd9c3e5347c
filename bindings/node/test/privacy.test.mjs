// Privacy: who sees and may do what, the people who are left out, and the timer of new chats.

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

/** A linked client, its phone, and the phone of a friend. */
async function linked(t) {
  const client = await Client.open(':memory:', { engine, autoStart: false })
  t.after(() => client.close())
  const [own, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  await link(client, own)
  return { client, own, friend }
}

test('privacy is read and changed', async (t) => {
  const { client, own, friend } = await linked(t)
  const value = async (wanted) => {
    const { settings } = await client.getPrivacy()
    return settings.find(({ category }) => category === wanted).value
  }
  assert.equal(await value('last_seen'), 'everyone')
  await client.setPrivacy({ category: 'last_seen', value: 'nobody' })
  assert.equal(await value('last_seen'), 'nobody')
  await assert.rejects(client.setPrivacy({ category: 'read_receipts', value: 'contacts' }), {
    code: Code.InvalidArgument,
  })
  await own.ask('POST', '/privacy', { category: 'calladd', value: 'known' })
  const { settings } = await nextEvent(client, 'privacy_changed')
  assert.deepEqual(settings, [{ category: 'calls', value: 'known' }])

  const { people } = await client.changePrivacyExceptions({ category: 'about', add: [friend.jid] })
  assert.deepEqual(
    people.map(({ id }) => id),
    [friend.lid],
  )
  assert.equal(await value('about'), 'contacts_except')
  assert.deepEqual((await client.getPrivacyExceptions({ category: 'about' })).people, people)
})

test('the timer of new chats and the audience of statuses', async (t) => {
  const { client, own, friend } = await linked(t)
  await client.setDefaultTimer({ seconds: 86400 })
  assert.equal((await client.getDefaultTimer()).seconds, 86400)
  await own.ask('POST', '/default-timer', { seconds: 604800 })
  const changed = await nextEvent(client, 'default_timer_changed')
  assert.deepEqual([changed.who.phone, changed.seconds], [own.jid, 604800])

  const { audience, people } = await client.getStatusAudience()
  assert.deepEqual([audience, people], ['contacts', []])
  const { change } = await client.setStatusAudience({ audience: 'only', people: [friend.jid] })
  const written = await nextEvent(client, 'app_state_written')
  assert.deepEqual([written.change, written.error], [change, null])
  await assert.rejects(client.setStatusAudience({ audience: 'only' }), { code: Code.InvalidArgument })
})
