// Messages of every kind, typed.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { Sandbox, link, nextEvent } from './sandbox.mjs'

const file = new URL('../../../tests/vectors/messages.json', import.meta.url)
const vectors = new Map(JSON.parse(readFileSync(file, 'utf8')).messages.map(({ id, hex }) => [id, hex]))

// Names in the vectors, and what they become.
const KINDS = {
  text_link_preview: 'text',
  image: 'image',
  video: 'video',
  gif: 'gif',
  ptv: 'video_note',
  audio: 'audio',
  ptt: 'voice',
  document: 'document',
  sticker: 'sticker',
  sticker_pack: 'sticker_pack',
  album: 'album',
  contact: 'contact',
  contacts: 'contacts',
  location: 'location',
  live_location: 'live_location',
  group_invite: 'group_invite',
  newsletter_admin_invite: 'channel_admin_invite',
  newsletter_follower_invite: 'channel_follower_invite',
  event_invite: 'event_invite',
  request_phone_number: 'request_phone',
  poll_v1_multi: 'poll',
  poll_result_snapshot: 'poll_result',
  event: 'event',
  product: 'product',
  catalog: 'catalog',
  order: 'order',
  invoice: 'invoice',
  request_payment: 'payment',
  native_flow_quick_reply: 'interactive',
  carousel: 'carousel',
  list_single_select: 'list',
  buttons_legacy: 'buttons',
  template_hydrated: 'template',
  list_response: 'choice',
  call_log: 'call_log',
  call: 'call_marker',
  scheduled_call: 'scheduled_call',
  scheduled_call_cancel: 'scheduled_call_cancel',
  bcall: 'broadcast_call',
  message_history_bundle: 'group_history',
  message_history_notice: 'group_history_notice',
  bot_rich_response: 'ai_rich',
  status_notification: 'status_notice',
  question_response: 'question_response',
  conditional_reveal: 'scheduled',
  placeholder: 'placeholder',
}

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

async function linked(t) {
  const client = await Client.open(':memory:', { engine, autoStart: false })
  t.after(() => client.close())
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  await link(client, phone)
  return { client, phone, friend }
}

test('every kind of a phone has a type of its own', async (t) => {
  const { client, phone, friend } = await linked(t)
  for (const [name, type] of Object.entries(KINDS)) {
    const id = await friend.sendRaw(phone.jid, vectors.get(name))
    const event = await nextEvent(client, 'message')
    assert.equal(event.messageId, id)
    assert.equal(event.content.type, type, name)
    assert.equal(client.raw(event).toString('hex'), vectors.get(name))
  }
})

test('kinds are sent and annotated', async (t) => {
  const { client, phone, friend } = await linked(t)
  const chat = friend.jid
  const contents = [
    [{ type: 'text', text: 'words' }, 'words'],
    [{ type: 'location', latitude: 59.91, longitude: 10.75, name: 'Oslo' }, 'Oslo'],
    [{ type: 'contact', name: 'Zoë', vcard: 'BEGIN:VCARD\nEND:VCARD' }, 'Zoë'],
    [{ type: 'poll', name: 'Lunch?', options: ['Soup', 'Tea'] }, 'Lunch?'],
    [{ type: 'event', name: 'Walk', startsAt: 1_900_000_000 }, 'Walk'],
  ]
  const ids = []
  for (const [content, words] of contents) {
    ids.push((await client.sendMessage({ chat, content })).messageId)
    assert.equal((await friend.message(words)).kind, content.type)
  }
  await client.react({ chat, targetId: ids[0], emoji: '🐦' })
  assert.equal((await friend.message('🐦')).kind, 'reaction')
  await client.editMessage({ chat, targetId: ids[0], text: 'other words' })
  assert.equal((await friend.message('other words')).kind, 'message_edited')
  await client.votePoll({ chat, targetId: ids[3], options: ['Tea'] })

  await friend.sendRaw(phone.jid, vectors.get('image'))
  const { content } = await nextEvent(client, 'message')
  await client.sendMessage({ chat, content: { type: 'image', media: content.media, caption: 'once more' } })
  assert.equal((await friend.message('once more')).kind, 'image')

  await friend.sendRaw(phone.jid, vectors.get('reaction'))
  assert.ok((await nextEvent(client, 'reaction')).emoji)
  // Its poll may come yet: it waits for it.
  await friend.sendRaw(phone.jid, vectors.get('poll_vote'))
  await friend.sendRaw(phone.jid, vectors.get('image'))
  await nextEvent(client, 'message')

  await assert.rejects(client.sendMessage({ chat, content: { type: 'text', text: '' } }), {
    code: Code.InvalidArgument,
  })
  await assert.rejects(client.sendMessage({ chat, content: { type: 'placeholder' } }), { code: Code.NotSupported })

  await client.logout()
  const vote = await nextEvent(client, 'poll_vote')
  assert.ok(vote.sealed && vote.options.length === 0 && client.raw(vote).length > 0)
})
