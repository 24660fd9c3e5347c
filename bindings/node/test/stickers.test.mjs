// Packs of stickers: made of files, sent, taken apart; and what a single one says of its pack.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { Code, Engine } from 'whimbrel'

import { Sandbox, folder, nextEvent, pair } from './sandbox.mjs'

const WEBP = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64')

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

test('a pack is made of files and taken apart', async (t) => {
  const [{ anna, ben, chat }, place] = [await pair(t, sandbox, engine), folder(t)]
  const path = join(place, 'finch.webp')
  writeFileSync(path, WEBP)
  const stickers = [{ path, emojis: ['🐦'], accessibilityLabel: 'a finch' }, { path }]
  const pack = { type: 'sticker_pack', name: 'Birds', publisher: 'Anna', stickers, trayIconPath: path }
  await anna.sendMessage({ chat, content: pack })
  const { content } = await nextEvent(ben, 'message')
  assert.deepEqual([content.type, content.name, content.trayIcon], ['sticker_pack', 'Birds', `${content.id}.webp`])
  assert.deepEqual(content.stickers.map(({ emojis }) => emojis), [['🐦'], []])

  const [archive, out] = [join(place, 'pack.zip'), join(place, 'stickers')]
  await ben.downloadMedia({ reference: content.media.reference, path: archive })
  const { items } = await ben.unpackStickerPack({ path: archive, folder: out })
  assert.deepEqual(items.slice(0, 2).map(({ fileName }) => fileName), content.stickers.map(({ fileName }) => fileName))
  const [{ info, width, path: first }] = items
  assert.deepEqual([first, width], [join(out, items[0].fileName), 1])
  assert.deepEqual([info.packName, info.packId, info.accessibilityLabel], ['Birds', content.id, 'a finch'])
  assert.ok(readFileSync(join(out, content.trayIcon)).equals(WEBP))

  writeFileSync(archive, 'no archive')
  await assert.rejects(ben.unpackStickerPack({ path: archive, folder: out }), { code: Code.MediaUnsupported })
})

test('a sticker says to which pack it belongs', async (t) => {
  const [{ anna, ben, chat }, place] = [await pair(t, sandbox, engine), folder(t)]
  const path = join(place, 'finch.webp')
  writeFileSync(path, WEBP)
  const content = { type: 'sticker', media: { path }, emojis: '🐦 🙂', packName: 'Birds', packPublisher: 'Anna' }
  await anna.sendMessage({ chat, content })
  const { content: told } = await nextEvent(ben, 'message')
  const copy = join(place, 'copy.webp')
  await ben.downloadMedia({ reference: told.media.reference, path: copy })
  const { sticker } = await ben.describeMedia({ path: copy })
  assert.deepEqual([sticker.packName, sticker.packPublisher, sticker.emojis], ['Birds', 'Anna', ['🐦', '🙂']])
})
