// The example program, as a user runs it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { Client, Engine } from 'whimbrel'

import { Sandbox, folder, link, soon } from './sandbox.mjs'

let sandbox

before(async () => {
  sandbox = await Sandbox.start()
})

after(() => sandbox.stop())

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

/** Starts the bot in a folder of its own that has the package installed. */
function start(t, place, store) {
  const ready = join(place, 'ready.json')
  writeFileSync(ready, sandbox.readyLine)
  const child = spawn(process.execPath, ['echo-bot.mjs', '--sandbox', ready, '--store', store], {
    cwd: place,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const ended = new Promise((resolve) => child.once('close', (status, signal) => resolve(status ?? signal)))
  return { child, ended }
}

function install(t) {
  const place = folder(t)
  copyFileSync(path('../../../examples/node/echo-bot.mjs'), join(place, 'echo-bot.mjs'))
  mkdirSync(join(place, 'node_modules'))
  symlinkSync(path('..'), join(place, 'node_modules/whimbrel'))
  return place
}

test('without a link the echo bot draws a code, and stops when interrupted', async (t) => {
  const place = install(t)
  const { child, ended } = start(t, place, 'fresh.db')
  const line = new Promise((resolve) => createInterface(child.stdout).once('line', resolve))
  assert.match(await soon(line, 'the first line'), /^█{20,}$/)
  child.kill('SIGINT')
  assert.equal(await soon(ended, 'the end'), 0)
})

test('the echo bot echoes', async (t) => {
  const place = install(t)
  const engine = new Engine({ endpoint: sandbox.endpoint })
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  const client = await Client.open(join(place, 'echo.db'), { engine, autoStart: false })
  await link(client, phone)
  await engine.close()

  await friend.send(phone.jid, 'is anybody there?')
  const { child, ended } = start(t, place, 'echo.db')
  assert.equal((await friend.message('is anybody there?')).from_me, false)
  await friend.send(phone.jid, 'still there? 🦆')
  await friend.message('still there? 🦆')
  child.kill('SIGINT')
  assert.equal(await soon(ended, 'the end'), 0)
})
