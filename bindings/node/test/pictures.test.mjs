// Pictures of people.

import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { Sandbox, folder, link, nextEvent } from './sandbox.mjs'

const GIF = new URL('../../../tests/vectors/media/animated.gif', import.meta.url)

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
  const [client, phone] = await Promise.all([Client.open(':memory:', { engine, autoStart: false }), sandbox.phone()])
  t.after(() => client.close())
  await link(client, phone)
  return [client, phone]
}

test('a picture is set, looked up, read and removed', async (t) => {
  const [client, phone] = await linked(t)
  const [friend, other] = await linked(t)
  const place = folder(t)
  const [path, copy] = [join(place, 'picture.gif'), join(place, 'copy.jpg')]
  copyFileSync(GIF, path)
  await client.sendText({ chat: other.jid, text: 'hello' })
  const owner = phone.jid
  assert.equal((await friend.getPicture({ owner })).state, 'missing')

  const { id } = await client.setPicture({ path })
  const told = await nextEvent(friend, 'picture_changed')
  assert.deepEqual([told.pictureId, told.removed, told.owner.phone], [id, false, owner])
  const found = await friend.getPicture({ owner, size: 'full' })
  assert.deepEqual([found.state, found.id], ['exists', id])
  assert.equal((await friend.getPicture({ owner, knownId: id })).state, 'unchanged')
  const read = await friend.downloadPicture({ owner, path: copy })
  assert.deepEqual([read.exists, read.id, read.length], [true, id, readFileSync(copy).length])

  await client.removePicture({})
  assert.equal((await nextEvent(friend, 'picture_changed')).removed, true)
  writeFileSync(path, 'no picture at all')
  await assert.rejects(client.setPicture({ path }), { code: Code.MediaUnsupported })
})
