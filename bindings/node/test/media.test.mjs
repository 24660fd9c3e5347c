// Files: up and down, from memory and from disk.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { Sandbox, folder, link, nextEvent } from './sandbox.mjs'

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

async function linked(t, options) {
  const open = Client.open(':memory:', { engine, autoStart: false, ...options })
  const [client, phone] = await Promise.all([open, sandbox.phone()])
  t.after(() => client.close())
  await link(client, phone)
  return client
}

test('files go up and down', async (t) => {
  const [client, place] = [await linked(t), folder(t)]
  for (const length of [0, 1, 16, 100_000]) {
    const bytes = randomBytes(length)
    const uploading = client.upload(bytes, { kind: 'document', mimetype: 'x/y' })
    // It was copied before the call returned.
    const kept = Buffer.from(bytes)
    bytes.fill(0)
    const uploaded = await uploading
    assert.deepEqual([uploaded.length, uploaded.mimetype], [length, 'x/y'])
    const { reference } = uploaded
    const got = await client.download({ reference })
    assert.ok(kept.equals(got.data))
    assert.equal(got.moved, undefined)
    const path = join(place, 'copy')
    assert.equal((await client.downloadMedia({ reference, path })).length, length)
    assert.ok(kept.equals(readFileSync(path)))
  }
  const path = join(place, 'file')
  writeFileSync(path, 'some text')
  const { reference } = await client.uploadMedia({ path, kind: 'document' })
  assert.equal((await client.download({ reference })).data.toString(), 'some text')
  await assert.rejects(client.describeMedia({ path }), { code: Code.MediaUnsupported })
  await assert.rejects(client.download({ reference, maxLength: 1 }), { code: Code.MediaTooLarge })
  await assert.rejects(client.download({ reference: 'none' }), { code: Code.InvalidArgument })
  await assert.rejects(client.uploadMedia({ path: join(place, 'none'), kind: 'image' }), { code: Code.FileFailed })
})

test('transfers are watched and cancelled', async (t) => {
  const client = await linked(t)
  await sandbox.ask('POST', '/media/faults', { request: 'upload', fault: { fault: 'stall', bytes: 100_000 } })
  const stop = new AbortController()
  const uploading = client.upload(randomBytes(1 << 20), { kind: 'video', transfer: 'film' }, { signal: stop.signal })
  const { transfer, direction } = await nextEvent(client, 'media_progress')
  assert.deepEqual([transfer, direction], ['film', 'upload'])
  stop.abort()
  await assert.rejects(uploading, { name: 'AbortError' })
})

test('the temporary folder is where uploads lie', async (t) => {
  const temporaryFolder = join(folder(t), 'spool')
  mkdirSync(temporaryFolder)
  const client = await linked(t, { temporaryFolder })
  await sandbox.ask('POST', '/media/faults', { request: 'upload', fault: { fault: 'stall', bytes: 100_000 } })
  const stop = new AbortController()
  const large = randomBytes(1 << 20)
  const uploading = client.upload(large, { kind: 'document', transfer: 'large' }, { signal: stop.signal })
  await nextEvent(client, 'media_progress')
  const [spool, ...others] = readdirSync(temporaryFolder)
  assert.deepEqual(others, [])
  assert.ok(statSync(join(temporaryFolder, spool)).size > large.length)
  stop.abort()
  await assert.rejects(uploading, { name: 'AbortError' })

  const nowhere = await linked(t, { temporaryFolder: join(temporaryFolder, 'none') })
  // What is small stays in memory.
  await nowhere.upload(Buffer.from('small'), { kind: 'document' })
  await assert.rejects(nowhere.upload(large, { kind: 'document' }), { code: Code.FileFailed })
})
