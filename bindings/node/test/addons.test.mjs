// What is done to messages and chats, there and back, in direct chats and groups.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'

import { Code, Engine } from 'whimbrel'

import { Sandbox, nextEvent, pair } from './sandbox.mjs'

const file = new URL('../../../tests/vectors/messages.json', import.meta.url)
const vectors = new Map(JSON.parse(readFileSync(file, 'utf8')).messages.map(({ id, hex }) => [id, hex]))

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

/** Does everything that can be done to a message. `to`: the chat for Anna, `back`: for Ben. */
async function annotate({ anna, ben, phone }, to, back) {
  const at = async (client, sent, kind, shown) => {
    const event = await nextEvent(client, kind)
    assert.equal(event.messageId, sent.messageId, kind)
    if (shown) assert.equal((await phone.shown(sent.messageId)).kind, shown)
    return event
  }
  const told = async (content) => {
    const sent = await anna.sendMessage({ chat: to, content })
    await at(ben, sent, 'message')
    return sent.messageId
  }

  const first = await told({ type: 'text', text: 'first' })
  for (const emoji of ['👍', undefined]) {
    const sent = await ben.react({ chat: back, targetId: first, emoji })
    const event = await at(anna, sent, 'reaction', 'reaction')
    assert.deepEqual([event.emoji ?? undefined, event.sealed], [emoji, false])
    assert.deepEqual([event.target.messageId, event.target.fromMe], [first, true])
  }

  let sent = await anna.editMessage({ chat: to, targetId: first, text: 'second' })
  const edited = await at(ben, sent, 'message_edited', 'message_edited')
  assert.deepEqual([edited.target.messageId, edited.text, edited.form], [first, 'second', 'control'])
  assert.equal(edited.content.type, 'text')

  for (const seconds of [86_400, undefined]) {
    sent = await ben.pinMessage({ chat: back, targetId: first, seconds })
    const event = await at(anna, sent, 'message_pinned', 'pinned')
    assert.deepEqual([event.target.messageId, event.pinned], [first, seconds !== undefined])
    if (seconds) assert.equal(event.seconds, seconds)
  }
  for (const kept of [true, false]) {
    sent = await ben.keepMessage({ chat: back, targetId: first, kept })
    const event = await at(anna, sent, 'message_kept', 'kept')
    assert.deepEqual([event.target.messageId, event.kept], [first, kept])
  }

  const poll = await told({ type: 'poll', name: 'Lunch?', options: ['Soup', 'Tea'], selectable: 2, open: true })
  sent = await ben.votePoll({ chat: back, targetId: poll, options: ['Tea', 'Soup'] })
  const vote = await at(anna, sent, 'poll_vote')
  assert.deepEqual([vote.target.messageId, vote.options, vote.sealed], [poll, ['Soup', 'Tea'], false])
  sent = await ben.addPollOption({ chat: back, targetId: poll, option: 'Cake' })
  assert.equal((await at(anna, sent, 'poll_option_added')).option, 'Cake')
  sent = await anna.votePoll({ chat: to, targetId: poll, options: ['Cake'] })
  assert.deepEqual((await at(ben, sent, 'poll_vote', 'sealed')).options, ['Cake'])
  sent = await ben.votePoll({ chat: back, targetId: poll, options: [] })
  assert.deepEqual((await at(anna, sent, 'poll_vote')).options, [])
  const other = { name: 'Supper?', options: ['Soup', 'Bread'], selectable: 1 }
  sent = await anna.editPoll({ chat: to, targetId: poll, poll: other })
  assert.equal((await at(ben, sent, 'poll_edited')).poll.name, 'Supper?')

  const walk = await told({ type: 'event', name: 'Walk', startsAt: 1_900_000_000 })
  sent = await ben.answerEvent({ chat: back, targetId: walk, response: 'maybe', extraGuests: 2 })
  const answer = await at(anna, sent, 'event_answer')
  assert.deepEqual([answer.response, answer.extraGuests], ['maybe', 2])
  const off = { name: 'Walk', startsAt: 1_900_000_000, cancelled: true }
  sent = await anna.editEvent({ chat: to, targetId: walk, event: off })
  assert.equal((await at(ben, sent, 'event_edited')).event.cancelled, true)

  sent = await anna.revokeMessage({ chat: to, targetId: first })
  const revoked = await at(ben, sent, 'message_revoked', 'message_revoked')
  assert.deepEqual([revoked.target.messageId, revoked.byAdmin], [first, false])

  // An administrator takes back what others wrote, in groups only.
  const rude = await ben.sendText({ chat: back, text: 'not nice' })
  await at(anna, rude, 'message')
  const targetId = rude.messageId
  if (to === back) {
    sent = await anna.revokeMessage({ chat: to, targetId })
    const event = await at(ben, sent, 'message_revoked', 'message_revoked')
    assert.deepEqual([event.target.messageId, event.byAdmin], [targetId, true])
  } else {
    await assert.rejects(anna.revokeMessage({ chat: to, targetId }), { code: Code.InvalidArgument })
  }
}

test('messages of a direct chat are annotated in every way', async (t) => {
  const it = await pair(t, sandbox, engine)
  await annotate(it, it.chat, it.own.jid)
})

test('messages of a group are annotated in every way', async (t) => {
  const it = await pair(t, sandbox, engine)
  const { anna, ben } = it
  const chat = (await anna.createGroup({ subject: 'Birds', participants: [it.chat] })).group.id
  await annotate(it, chat, chat)

  const { messageId: targetId } = await anna.sendText({ chat, text: 'a post' })
  await nextEvent(ben, 'message')
  const said = await ben.commentMessage({ chat, targetId, content: { type: 'text', text: 'well said' } })
  const comment = await nextEvent(anna, 'comment')
  assert.deepEqual(
    [comment.messageId, comment.text, comment.target.messageId],
    [said.messageId, 'well said', targetId],
  )

  for (const label of ['Cook', '']) {
    const sent = await anna.setMemberLabel({ chat, label })
    const event = await nextEvent(ben, 'member_label_changed')
    assert.deepEqual([event.messageId, event.label ?? ''], [sent.messageId, label])
  }
})

test('what is done to a chat is told', async (t) => {
  const { anna, ben, chat } = await pair(t, sandbox, engine)
  await anna.sendText({ chat, text: 'hello' })
  await nextEvent(ben, 'message')

  const sent = await anna.setChatTimer({ chat, seconds: 86_400 })
  const timer = await nextEvent(ben, 'chat_timer_changed')
  assert.deepEqual([timer.messageId, timer.seconds], [sent.messageId, 86_400])
  await anna.sendText({ chat, text: 'soon gone' })
  assert.equal((await nextEvent(ben, 'message')).context.timer.seconds, 86_400)
  await assert.rejects(anna.setChatTimer({ chat, seconds: 77 }), { code: Code.InvalidArgument })

  for (const limited of [true, false]) {
    const { messageId } = await anna.setChatPrivacy({ chat, limited })
    const event = await nextEvent(ben, 'chat_privacy_changed')
    assert.deepEqual([event.messageId, event.limited], [messageId, limited])
  }

  await anna.sharePhoneNumber({ chat })
  assert.deepEqual((await nextEvent(ben, 'number_shared')).who, (await anna.getAccount()).identity)
})

test('edits come in every form', async (t) => {
  const { anna, own, phone } = await pair(t, sandbox, engine)
  const forms = {
    edit: 'control',
    edit_wrapped: 'wrapped',
    edit_caption: 'control',
    secret_message_edit: 'sealed',
  }
  for (const [name, form] of Object.entries(forms)) {
    const id = await phone.sendRaw(own.jid, vectors.get(name))
    if (form === 'sealed') {
      // It waits for its message, until none can come.
      await phone.sendRaw(own.jid, vectors.get('image'))
      await nextEvent(anna, 'message')
      await anna.logout()
    }
    const event = await nextEvent(anna, 'message_edited')
    assert.deepEqual([event.messageId, event.form], [id, form])
    assert.equal(anna.raw(event).toString('hex'), vectors.get(name))
    // An envelope to a message that never came stays closed.
    assert.equal(event.sealed, form === 'sealed')
  }
})
