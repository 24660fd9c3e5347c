// The package as it is loaded: both entry points, one set of classes, `await using`.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'

import * as whimbrel from 'whimbrel'

const required = createRequire(import.meta.url)('whimbrel')

test('both entry points offer the same', () => {
  const names = Object.keys(required).filter((name) => name !== '__esModule')
  assert.ok(names.includes('Client') && names.includes('Engine') && names.includes('WhimbrelError'))
  for (const name of names) assert.equal(whimbrel[name], required[name], name)
})

test('clients and engines can be used with `await using`', async () => {
  const engine = new whimbrel.Engine()
  const client = await whimbrel.Client.open(':memory:', { engine, autoStart: false })
  await client[Symbol.asyncDispose]()
  await assert.rejects(client.connect(), { code: whimbrel.Code.Closed })
  await engine[Symbol.asyncDispose]()
  await assert.rejects(whimbrel.Client.open(':memory:', { engine }), { code: whimbrel.Code.Closed })
})

test('clients share an engine unless they are given one', async () => {
  const clients = await Promise.all([1, 2].map(() => whimbrel.Client.open(':memory:', { autoStart: false })))
  for (const client of clients) {
    assert.equal((await client.getConnection()).state, 'stopped')
    await client.close()
  }
})
