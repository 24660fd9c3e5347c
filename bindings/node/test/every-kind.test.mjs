// Every kind of content, sent by one client and read by another one and by its phone.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { Code, Engine } from 'whimbrel'

import { BEST_EFFORT, ONLY_RECEIVED, same, sendable } from './contents.mjs'
import { png, write } from './files.mjs'
import { Sandbox, folder, nextEvent, pair } from './sandbox.mjs'

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

/** Sends something, and waits until the other client and its phone have it. */
async function arrival({ anna, ben, phone }, request) {
  const sent = await anna.sendMessage(request)
  const event = await nextEvent(ben, 'message')
  assert.equal(event.messageId, sent.messageId)
  const shown = await phone.shown(sent.messageId)
  assert.equal(shown.raw, ben.raw(event).toString('hex'))
  return { event, shown }
}

test('every kind arrives as it was sent', async (t) => {
  const it = await pair(t, sandbox, engine)
  const files = write(folder(t))
  const { reference, mimetype } = await it.anna.uploadMedia({ path: files.picture, kind: 'image' })
  const kinds = new Set()
  for (const [content, found] of sendable(files, { reference, mimetype })) {
    const fallback = BEST_EFFORT.includes(content.type) ? 'nothing' : undefined
    const { event, shown } = await arrival(it, { chat: it.chat, content, fallback })
    const sent = { ...content, ...found }
    assert.ok(same(event.content, sent), `${JSON.stringify(event.content)} is not ${JSON.stringify(sent)}`)
    // Cards are one form of what has buttons.
    const kind = content.type === 'carousel' ? 'interactive' : content.type
    assert.deepEqual([shown.kind, shown.text], [kind, event.text ?? ''])
    kinds.add(content.type)
  }

  // The table is whole.
  for (const content of ONLY_RECEIVED) {
    await assert.rejects(it.anna.sendMessage({ chat: it.chat, content }), { code: Code.NotSupported }, content.type)
    assert.ok(!kinds.has(content.type))
    kinds.add(content.type)
  }
  const api = JSON.parse(readFileSync(new URL('../../api.json', import.meta.url), 'utf8'))
  const all = api.types.Content.oneOf.map(({ properties }) => properties.type.const)
  assert.deepEqual([...kinds].sort(), all.sort())
})

test('files of every family are what was sent', async (t) => {
  const it = await pair(t, sandbox, engine)
  const files = write(folder(t))
  const kinds = {
    image: files.picture,
    video: files.film,
    gif: files.film,
    video_note: files.film,
    audio: files.voice,
    voice: files.voice,
    document: files.document,
    sticker: files.sticker,
  }
  for (const [type, path] of Object.entries(kinds)) {
    const bytes = readFileSync(path)
    const { event } = await arrival(it, { chat: it.chat, content: { type, media: { path } } })
    const { media, waveform, thumbnailSize } = event.content
    assert.equal(media.length, bytes.length, type)
    assert.ok(bytes.equals((await it.ben.download({ reference: media.reference })).data), type)
    assert.ok(bytes.equals(await it.phone.file(event.messageId)), type)
    if (type === 'image') assert.ok(thumbnailSize > 0)
    if (type === 'voice') assert.equal(waveform.length, 64)
  }
})

test('what surrounds content arrives', async (t) => {
  const it = await pair(t, sandbox, engine)
  const { chat, anna, ben } = it
  const path = join(folder(t), 'picture.png')
  writeFileSync(path, png())
  const picture = { type: 'image', media: { path } }
  const text = (words) => ({ type: 'text', text: words })
  const group = (await anna.createGroup({ subject: 'Birds', participants: [chat] })).group.id
  const event = async (request) => (await arrival(it, request)).event

  assert.equal((await event({ chat, content: picture, viewOnce: true })).viewOnce, true)
  const first = await event({ chat, content: picture })
  assert.equal(first.viewOnce, false)

  const me = (await anna.getAccount()).identity
  const quote = { messageId: first.messageId, sender: me }
  const quoting = await event({ chat, content: text('this one'), quote })
  assert.deepEqual(quoting.quoted, { messageId: first.messageId, sender: me.lid })

  const named = await event({ chat: group, content: text('look'), mentions: [it.phone.jid] })
  assert.deepEqual([named.mentionsMe, named.context.mentionsEveryone], [true, false])
  assert.equal(named.context.mentions.length, 1)
  const everyone = await event({ chat: group, content: text('@all look'), mentionsEveryone: true })
  assert.deepEqual([everyone.mentionsMe, everyone.context.mentionsEveryone], [true, true])
  const groupMentions = [{ group, subject: 'Birds' }]
  const grouped = await event({ chat: group, content: text(`see @${group.split('@')[0]}`), groupMentions })
  assert.deepEqual([grouped.mentionsMe, grouped.context.groupMentions], [false, [group]])

  assert.ok((await event({ chat, content: text('from elsewhere'), forwarded: true })).context.forwarded)
  const again = await anna.forwardMessage({ chat, targetId: first.messageId, to: group })
  const forwarded = await nextEvent(ben, 'message')
  assert.deepEqual([forwarded.messageId, forwarded.chat.id], [again.messageId, group])
  assert.ok(forwarded.context.forwarded)
  assert.ok(png().equals((await ben.download({ reference: forwarded.content.media.reference })).data))

  const head = await event({ chat, content: { type: 'album', images: 2 } })
  for (let number = 0; number < 2; number++) {
    const { association } = await event({ chat, content: picture, albumId: head.messageId })
    assert.deepEqual([association.how, association.parent.messageId], ['album', head.messageId])
  }
})

test('buttons come with words for those who do not see them', async (t) => {
  const { anna, ben, phone, chat } = await pair(t, sandbox, engine)
  const contents = sendable({}, {}).map(([content]) => content)
  for (const type of BEST_EFFORT) {
    const content = contents.find((one) => one.type === type)
    // Nobody may see it, which the host has to know.
    await assert.rejects(anna.sendMessage({ chat, content }), { code: Code.InvalidArgument })
    for (const own of [undefined, 'yes or no?']) {
      await anna.sendMessage({ chat, content, fallback: own ? 'text' : 'composed', fallbackText: own })
      assert.equal((await nextEvent(ben, 'message')).content.type, type)
      const words = await nextEvent(ben, 'message')
      assert.equal(words.content.type, 'text')
      assert.ok(own ? words.text === own : words.text.includes(content.body ?? content.description))
      assert.equal((await phone.shown(words.messageId)).text, words.text)
    }
  }
})
