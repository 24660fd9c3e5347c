// Beginnings and ends: of processes, of worker threads, and of objects that nobody has any more.
// Those about an end run as often as `WHIMBREL_REPEAT` says.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'

import { Client, Engine } from 'whimbrel'

import { DEADLINE, Sandbox, folder, link, soon } from './sandbox.mjs'

let sandbox, engine

const REPEAT = Number(process.env.WHIMBREL_REPEAT ?? 1)

/** A test about how a process or thread ends. */
function ending(name, body) {
  if (REPEAT === 1) return test(name, body)
  return test(`${name}, ${REPEAT} times`, async (t) => {
    for (let number = 0; number < REPEAT; number += 1) await t.test(String(number), body)
  })
}

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

const programs = new URL('./programs/', import.meta.url)

/** A folder with the sandbox's ready line, and the path of a store in it. */
function place(t) {
  const path = folder(t)
  const readyFile = join(path, 'ready.json')
  writeFileSync(readyFile, sandbox.readyLine)
  return { readyFile, store: join(path, 'a.db') }
}

/** Runs a program to its end. `onLine` may stop it. */
async function run(t, name, { readyFile, store }, given = [], { flags = [], onLine = () => {} } = {}) {
  const program = fileURLToPath(new URL(name, programs))
  const child = spawn(process.execPath, [...flags, program, readyFile, store, ...given], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines = []
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line)
    onLine(line, child, lines)
  })
  let errors = ''
  child.stderr.on('data', (data) => (errors += data))
  const ended = new Promise((resolve) => child.once('close', (status, signal) => resolve({ status, signal })))
  return { ...(await soon(ended, `the end of ${name}`)), lines, errors }
}

/** A store that is linked to a phone, closed. */
async function linked(t) {
  const where = place(t)
  const client = await Client.open(where.store, { engine, autoStart: false })
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  await link(client, phone)
  await client.close()
  return { where, phone, friend }
}

ending('processes leave with a live engine', async (t) => {
  const ways = ['fall off', 'exit', 'exit-in-loop']
  const where = place(t)
  const one = async (number) => {
    const way = ways[number % ways.length]
    const store = `${where.store}.${number}`
    const { status, signal, errors } = await run(t, 'leave.mjs', { ...where, store }, [way])
    assert.deepEqual({ status, signal, errors }, { status: 0, signal: null, errors: '' }, way)
  }
  await Promise.all(ways.map((_, number) => one(number)))
})

ending('Ctrl-C ends a loop in order', async (t) => {
  const { status, signal, lines, errors } = await run(t, 'interrupted.mjs', place(t), [], {
    onLine: (line, child) => line === 'ready' && child.kill('SIGINT'),
  })
  assert.deepEqual({ status, signal, errors, lines }, { status: 0, signal: null, errors: '', lines: ['ready', 'closed'] })
})

ending('Ctrl-C that nobody handles ends the process at once', async (t) => {
  const { status, signal, errors } = await run(t, 'interrupted.mjs', place(t), ['unhandled'], {
    onLine: (line, child) => line === 'ready' && child.kill('SIGINT'),
  })
  assert.deepEqual({ status, signal, errors }, { status: null, signal: 'SIGINT', errors: '' })
})

ending('a process leaves during a flood', async (t) => {
  const { where, phone, friend } = await linked(t)
  const flood = Promise.all(Array.from({ length: 40 }, (_, number) => friend.send(phone.jid, `flood ${number}`)))
  const { status, signal, errors } = await run(t, 'receive.mjs', where, ['10'])
  assert.deepEqual({ status, signal, errors }, { status: 0, signal: null, errors: '' })
  await flood
})

test('the engine never waits for JavaScript', async (t) => {
  const { where, phone, friend } = await linked(t)
  let sent
  const { status, lines, errors } = await run(t, 'held.mjs', where, [], {
    onLine: (line, _, lines) => {
      if (line !== 'held') return
      // What arrives is received, stored and confirmed while the thread of JavaScript is blocked.
      sent = friend.send(phone.jid, 'meanwhile').then(async (id) => {
        await friend.deviceReceipt(id)
        lines.push('confirmed')
      })
    },
  })
  await sent
  assert.deepEqual({ status, errors }, { status: 0, errors: '' })
  assert.deepEqual(lines, ['held', 'confirmed', 'free', 'meanwhile'])
})

ending('an error in the loop ends the process as errors do', async (t) => {
  const { status, signal, errors } = await run(t, 'leave.mjs', place(t), ['throw'])
  assert.deepEqual({ status, signal }, { status: 1, signal: null })
  assert.match(errors, /thrown in the loop/)
})

ending('calls keep the process, events only when asked', async (t) => {
  const { status, lines, errors } = await run(t, 'wait.mjs', place(t))
  assert.deepEqual({ status, errors, lines }, { status: 0, errors: '', lines: ['held', 'NOT_LINKED', 'closed'] })
})

ending('a forgotten client is closed', async (t) => {
  const { status, lines, errors } = await run(t, 'forget.mjs', place(t), [], { flags: ['--expose-gc'] })
  assert.deepEqual({ status, errors, lines }, { status: 0, errors: '', lines: ['opened again'] })
})

test('exits and kills during a flood lose nothing', async (t) => {
  const { where, phone, friend } = await linked(t)
  const count = 120
  const flood = (async () => {
    for (let number = 0; number < count; number += 1) await friend.send(phone.jid, `flood ${number}`)
  })()
  const ids = new Map()
  let acknowledged = 0
  const texts = new Map()
  let last = 0
  const record = (line) => {
    const [sequence, id, text] = JSON.parse(line)
    assert.equal(ids.get(sequence) ?? id, id, 'a repetition has the same id')
    assert.ok(sequence > acknowledged, 'an exit keeps what was acknowledged')
    last = sequence
    ids.set(sequence, id)
    if (text) texts.set(sequence, text)
  }
  for (let runs = 0; texts.size < count; runs += 1) {
    assert.ok(runs < 40, `only ${texts.size} texts arrived`)
    let seen = 0
    const kill = runs % 2 === 1
    const { status, signal, errors } = await run(t, 'receive.mjs', where, [kill ? '0' : String(3 + 2 * runs)], {
      onLine: (line, child) => {
        record(line)
        seen += 1
        if (kill && (seen === 3 + 2 * runs || texts.size === count)) child.kill('SIGKILL')
        if (!kill && texts.size === count) child.kill('SIGKILL')
      },
    })
    assert.equal(errors, '')
    if (status === 0) acknowledged = last
    assert.ok(signal === 'SIGKILL' || status === 0, `the process ended with ${status ?? signal}`)
  }
  await flood
  const sequences = [...ids.keys()].sort((a, b) => a - b)
  assert.deepEqual(sequences, Array.from({ length: sequences.length }, (_, index) => index + 1), 'no gaps')
  const inOrder = [...texts].sort(([a], [b]) => a - b).map(([, text]) => text)
  assert.deepEqual(inOrder, Array.from({ length: count }, (_, number) => `flood ${number}`))
})

ending('worker threads end in every way, and free their stores', async (t) => {
  const { where, phone, friend } = await linked(t)
  await friend.send(phone.jid, 'offered again and again')
  for (const end of ['terminate', 'exit', 'fall off']) {
    const worker = new Worker(new URL('worker.mjs', programs), { workerData: { ...where, end } })
    const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject))
    if (end === 'terminate') {
      await soon(new Promise((resolve) => worker.once('message', resolve)), 'the first message')
      await worker.terminate()
    }
    await soon(ended, `the end of the worker by ${end}`)
    // The end of its environment has closed the engine: the store is free at once.
    const client = await Client.open(where.store, { engine, autoStart: false })
    await client.close()
  }
})

test('clients on one thread and its workers share nothing', async (t) => {
  const { where } = await linked(t)
  const worker = new Worker(new URL('worker.mjs', programs), { workerData: { ...where, end: 'terminate' } })
  const client = await Client.open(':memory:', { engine, autoStart: false })
  await worker.terminate()
  assert.equal((await client.getConnection()).state, 'stopped')
  await client.close()
})

test('a thousand clients come and go in the same memory', async () => {
  const cycle = async () => {
    const client = await Client.open(':memory:', { engine, autoStart: false })
    const loop = (async () => {
      for await (const _ of client.events());
    })()
    await client.close()
    await soon(loop, 'the end of the loop')
  }
  // A closed client keeps its handle until it is collected, which is not what this is about.
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  const many = async (count) => {
    for (let number = 0; number < count; number += 1) await cycle()
    collect()
    return process.memoryUsage.rss() / 1024 / 1024
  }
  const before = await many(300)
  const grown = (await many(1000)) - before
  assert.ok(grown < 24, `${grown.toFixed(1)} MiB more`)
})

test('engines come and go', async () => {
  for (let number = 0; number < 20; number += 1) {
    const other = new Engine({ endpoint: sandbox.endpoint })
    const client = await Client.open(':memory:', { engine: other })
    const calls = [client.linkWithQr(), client.linkWithQr({ timeoutMs: DEADLINE })]
    const [closed, ...results] = await Promise.allSettled([other.close(), ...calls])
    assert.equal(closed.status, 'fulfilled')
    for (const { status, reason } of results) {
      if (status === 'rejected') assert.ok(['CANCELLED', 'CLOSED'].includes(reason.codeName), reason.codeName)
    }
  }
})
