// What the package offers to the tests of others.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'

import { Client, Engine } from 'whimbrel'
import * as testing from 'whimbrel/testing'

import './sandbox.mjs'

test('a sandbox with phones, for both kinds of modules', async () => {
  const required = createRequire(import.meta.url)('whimbrel/testing')
  for (const name of ['Sandbox', 'Phone', 'SandboxError', 'soon']) assert.equal(required[name], testing[name])
  const sandbox = await testing.Sandbox.start()
  const [phone, friend] = [await sandbox.phone(), await sandbox.phone({ name: 'Anna' })]
  const engine = new Engine({ endpoint: sandbox.endpoint })
  const client = await Client.open(':memory:', { engine, autoStart: false })
  await phone.link(client)
  await client.sendText({ chat: friend.jid, text: 'hello' })
  assert.equal((await friend.message('hello')).from_me, false)
  await assert.rejects(sandbox.ask('GET', '/nonsense'), testing.SandboxError)
  await engine.close()
  await sandbox.stop()
})

test('a missing program is named', async () => {
  const kept = process.env.WHIMBREL_SANDBOX
  process.env.WHIMBREL_SANDBOX = '/nonexistent/sandbox'
  try {
    await assert.rejects(testing.Sandbox.start(), /there is no \/nonexistent\/sandbox/)
  } finally {
    process.env.WHIMBREL_SANDBOX = kept
  }
})
