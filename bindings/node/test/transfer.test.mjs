// Moving links: in from another client's files, aside into a backup, out into a file.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { Client, Code, Engine } from 'whimbrel'

import { folder } from './sandbox.mjs'

const vectors = fileURLToPath(new URL('../../../tests/vectors/', import.meta.url))
const account = '240000000000001@lid'
// What a JSON request has to escape.
const passphrase = 'eight "wading" \\ birds 🐦\n'

let engine

before(() => {
  // Its service cannot be reached.
  engine = new Engine({ endpoint: { url: 'ws://127.0.0.1:1/ws/chat' } })
})

after(() => engine.close())

/** A folder that Baileys wrote. */
function authFolder(at) {
  const path = join(at, 'auth')
  mkdirSync(path)
  const { files } = JSON.parse(readFileSync(join(vectors, 'import-baileys.json'), 'utf8'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

async function accountOf(store) {
  const client = await Client.open(store, { engine, autoStart: false })
  try {
    const { identity, device } = await client.getAccount()
    assert.equal(device, 7)
    return identity.id
  } finally {
    await client.close()
  }
}

test('a link is taken over, backed up and moved', async (t) => {
  const at = folder(t)
  const [store, backup, other] = ['store.db', 'backup.db', 'other.db'].map((name) => join(at, name))
  const file = join(at, 'link.whimbrel')
  const report = await engine.import({ from: 'baileys', folder: authFolder(at) }, store)
  assert.deepEqual([report.identity.id, report.device], [account, 7])
  // The signatures in the vectors are filler.
  assert.ok(report.warnings.some((warning) => warning.includes('does not verify')))
  assert.ok(report.taken.some(({ what, count }) => what === 'sessions' && count > 0))
  assert.ok(report.leftOut.every(({ count, why }) => count > 0 && why))

  const client = await Client.open(store, { engine, autoStart: false })
  t.after(() => client.close())
  await client.backup({ path: backup })
  await assert.rejects(client.backup({ path: backup }), { name: 'StoreError', code: Code.FileExists })
  // It is a move: the client closes, and that is the last event.
  await client.export({ path: file, passphrase })
  const kinds = []
  for await (const event of client.events()) kinds.push(event.kind)
  assert.equal(kinds.at(-1), 'closed')
  await assert.rejects(client.connect(), { name: 'UsageError', code: Code.Closed })
  await assert.rejects(client.getAccount(), { name: 'UsageError', code: Code.Closed })
  await assert.rejects(accountOf(store), { name: 'StoreError', code: Code.StoreMoved })
  assert.equal(await accountOf(backup), account)

  const wrong = engine.import({ from: 'export', file, passphrase: 'another' }, other)
  await assert.rejects(wrong, { name: 'StoreError', code: Code.WrongPassphrase, operation: 'import' })
  assert.ok(!existsSync(other))
  const moved = await engine.import({ from: 'export', file, passphrase }, other)
  assert.deepEqual([moved.identity.id, moved.taken, moved.leftOut], [account, [], []])
  assert.equal(await accountOf(other), account)
})

test('what cannot be imported is refused', async (t) => {
  const at = folder(t)
  const store = join(at, 'store.db')
  const auth = authFolder(at)
  const creds = join(auth, 'creds.json')
  const refused = { name: 'StoreError', code: Code.ImportRefused }
  await assert.rejects(engine.import({ from: 'baileys', folder: join(at, 'missing') }, store), refused)
  await assert.rejects(engine.import({ from: 'whatsmeow', database: creds, account: '15550001111' }, store), refused)
  await assert.rejects(engine.import({ from: 'export', file: creds, passphrase }, store), refused)
  await assert.rejects(engine.import({ from: 'elsewhere' }, store), { name: 'UsageError', code: Code.InvalidArgument })
  assert.ok(!existsSync(store))
  await engine.import({ from: 'baileys', folder: auth }, store)
  await assert.rejects(engine.import({ from: 'baileys', folder: auth }, store), { code: Code.FileExists })
})
