// Media as streams.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { buffer } from 'node:stream/consumers'
import { Readable } from 'node:stream'

import { Client, Code, Engine } from 'whimbrel'

import { png } from './files.mjs'
import { Sandbox, folder, link } from './sandbox.mjs'

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
  const temporaryFolder = folder(t)
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  const client = await Client.open(':memory:', { engine, autoStart: false, temporaryFolder })
  t.after(() => client.close())
  await link(client, phone)
  return { client, phone, friend, temporaryFolder }
}

test('streams go up and come down, and leave no file', async (t) => {
  const { client, friend, temporaryFolder } = await linked(t)
  const bytes = Buffer.alloc(300_000, 'whimbrel ')
  const { reference } = await client.upload(Readable.from([bytes.subarray(0, 1000), bytes.subarray(1000)]), {
    kind: 'document',
  })
  const { stream, length } = await client.downloadStream({ reference })
  assert.equal(length, bytes.length)
  assert.deepEqual(readdirSync(temporaryFolder), [])
  assert.ok(bytes.equals(await buffer(stream)))

  // The stream of a web answer is one, too.
  const picture = await client.upload(new Blob([png()]).stream(), { kind: 'image' })
  const content = { type: 'image', media: { reference: picture.reference } }
  const sent = await client.sendMessage({ chat: friend.jid, content })
  assert.ok(png().equals(await friend.file(sent.messageId)))
})

test('a stream that fails, and a call that is stopped, leave no file', async (t) => {
  const { client, temporaryFolder } = await linked(t)
  const failing = Readable.from(
    (async function* () {
      yield Buffer.from('some')
      throw new Error('the source failed')
    })(),
  )
  await assert.rejects(client.upload(failing, { kind: 'document' }), /the source failed/)

  const endless = new Readable({ read() {} })
  const stop = new AbortController()
  const uploading = client.upload(endless, { kind: 'document' }, { signal: stop.signal })
  stop.abort()
  await assert.rejects(uploading, { name: 'AbortError' })
  await assert.rejects(client.downloadStream({ reference: 'nonsense' }), { code: Code.InvalidArgument })
  assert.deepEqual(readdirSync(temporaryFolder), [])
})
