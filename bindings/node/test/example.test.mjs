// The example programs, as a user runs them.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { Client, Engine } from 'whimbrel'

import { png } from './files.mjs'
import { Sandbox, folder, link, soon } from './sandbox.mjs'

let sandbox

before(async () => {
  sandbox = await Sandbox.start()
})

after(() => sandbox.stop())

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

/** Starts a program in a folder of its own that has the package installed. */
function start(t, place, store, program = 'echo-bot.mjs', ...words) {
  const ready = join(place, 'ready.json')
  writeFileSync(ready, sandbox.readyLine)
  const child = spawn(process.execPath, [program, '--sandbox', ready, '--store', store, ...words], {
    cwd: place,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const ended = new Promise((resolve) => child.once('close', (status, signal) => resolve(status ?? signal)))
  return { child, ended }
}

function install(t) {
  const place = folder(t)
  for (const program of ['echo-bot.mjs', 'media.mjs', 'archiver.mjs'])
    copyFileSync(path(`../../../examples/node/${program}`), join(place, program))
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

/** Lines as they come. */
function lines(child) {
  const all = createInterface(child.stdout)[Symbol.asyncIterator]()
  return async () => (await soon(all.next(), 'a line')).value
}

test('pictures are sent and saved, and sending is interrupted', async (t) => {
  const place = install(t)
  const engine = new Engine({ endpoint: sandbox.endpoint })
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  const client = await Client.open(join(place, 'media.db'), { engine, autoStart: false })
  await link(client, phone)
  await engine.close()
  const picture = join(place, 'picture.png')
  writeFileSync(picture, png())
  mkdirSync(join(place, 'saved'))

  const sending = start(t, place, 'media.db', 'media.mjs', 'send', friend.jid, picture)
  let next = lines(sending.child)
  let line = await next()
  while (!line.startsWith('sent')) line = await next()
  assert.ok(png().equals(await friend.file(line.slice('sent picture.png as '.length))))
  assert.equal(await soon(sending.ended, 'the end'), 0)

  const saving = start(t, place, 'media.db', 'media.mjs', 'save', 'saved')
  next = lines(saving.child)
  await friend.send(phone.jid, 'no file')
  const base64 = png(9, 9).toString('base64')
  await friend.ask('POST', '/send-media', { to: phone.jid, kind: 'image', mimetype: 'image/png', base64 })
  line = await next()
  const [saved] = readdirSync(join(place, 'saved'))
  assert.deepEqual([line, saved.endsWith('.png')], [`saved ${join('saved', saved)}`, true])
  assert.ok(png(9, 9).equals(readFileSync(join(place, 'saved', saved))))
  saving.child.kill('SIGINT')
  assert.equal(await soon(saving.ended, 'the end'), 0)

  writeFileSync(picture, Buffer.concat([png(), Buffer.alloc(1 << 20)]))
  await sandbox.ask('POST', '/media/faults', { request: 'upload', fault: { fault: 'stall', bytes: 100_000 } })
  const stopped = start(t, place, 'media.db', 'media.mjs', 'send', friend.jid, picture)
  next = lines(stopped.child)
  assert.match(await next(), /^picture.png: /)
  stopped.child.kill('SIGINT')
  while (!(line = await next()).startsWith('not sent'));
  assert.equal(await soon(stopped.ended, 'the end'), 0)
})

test('files are archived once, with where they came from', async (t) => {
  const place = install(t)
  const engine = new Engine({ endpoint: sandbox.endpoint })
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  const client = await Client.open(join(place, 'archiver.db'), { engine, autoStart: false })
  await link(client, phone)
  await engine.close()
  await friend.send(phone.jid, 'no file')
  await friend.sendFile(phone.jid, 'image', 'image/png', png())
  await friend.sendFile(phone.jid, 'image', 'image/png', png(9, 9))

  const index = () => readFileSync(join(place, 'kept/index.jsonl'), 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line))
  const first = start(t, place, 'archiver.db', 'archiver.mjs', 'kept')
  const next = lines(first.child)
  assert.match(await next(), /^kept /)
  assert.match(await next(), /^kept /)
  // Killed: what it had not acknowledged comes again, and is not kept again.
  first.child.kill('SIGKILL')
  await soon(first.ended, 'the end')
  await friend.sendFile(phone.jid, 'image', 'image/png', png())
  const second = start(t, place, 'archiver.db', 'archiver.mjs', 'kept', '--chat', friend.jid)
  assert.match(await lines(second.child)(), /^kept /)
  second.child.kill('SIGINT')
  assert.equal(await soon(second.ended, 'the end'), 0)

  const kept = index()
  assert.equal(kept.length, 3)
  assert.equal(new Set(kept.map(({ event }) => event)).size, 3)
  // The same picture twice is one file.
  assert.deepEqual([kept[0].file, kept[0].sender], [kept[2].file, friend.jid])
  const files = readdirSync(join(place, 'kept')).sort()
  assert.deepEqual(files, [kept[0].file, kept[1].file, 'index.jsonl'].sort())
  assert.ok(png().equals(readFileSync(join(place, 'kept', kept[0].file))))
  assert.ok(png(9, 9).equals(readFileSync(join(place, 'kept', kept[1].file))))
})
