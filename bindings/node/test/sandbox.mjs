// The sandbox program and its simulated phones, for tests.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { Client, sandboxEndpoint } from 'whimbrel'

/** How long anything may take before a test fails, in milliseconds. */
export const DEADLINE = 20_000

const root = fileURLToPath(new URL('../../../', import.meta.url))
const program = process.env.WHIMBREL_SANDBOX ?? join(root, 'target/debug/whimbrel-sandbox')

/** A folder that goes away with the test. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'whimbrel-node-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

/** Fails unless the promise settles in time. */
export async function soon(promise, what) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not happen`)), DEADLINE)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A sandbox that runs. */
export class Sandbox {
  static async start() {
    const child = spawn(program, ['--exit-with-parent'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const [line] = await soon(
      new Promise((resolve, reject) => {
        child.once('error', reject)
        createInterface(child.stdout).once('line', (line) => resolve([line]))
      }),
      'the ready line',
    )
    return new Sandbox(child, line)
  }

  constructor(child, readyLine) {
    this.child = child
    this.readyLine = readyLine
    this.endpoint = sandboxEndpoint(readyLine)
    this.control = JSON.parse(readyLine).control
  }

  async ask(method, path, body) {
    const answer = await fetch(this.control + path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    })
    const text = await answer.text()
    assert.ok(answer.ok, `${method} ${path}: ${text}`)
    return text ? JSON.parse(text) : undefined
  }

  async phone() {
    return new Phone(this, await this.ask('POST', '/phones', {}))
  }

  /** Ends it, and fails if a client broke the protocol's rules about keys. */
  async stop() {
    const { items } = await this.ask('GET', '/violations')
    const ended = new Promise((resolve) => this.child.once('exit', resolve))
    this.child.stdin.end()
    await soon(ended, "the sandbox's end")
    assert.deepEqual(items, [])
  }
}

/** A simulated phone. */
export class Phone {
  constructor(sandbox, view) {
    this.sandbox = sandbox
    this.number = view.phone
    this.jid = view.jid
    this.lid = view.lid
  }

  ask(method, what, body) {
    return this.sandbox.ask(method, `/phones/${this.number}${what}`, body)
  }

  async scan(qr) {
    await this.ask('POST', '/scan', { qr })
  }

  async enterCode(code) {
    await this.ask('POST', '/code', { code })
  }

  async send(to, text) {
    return (await this.ask('POST', '/send', { to, text })).id
  }

  /** Sends a message of any kind as protobuf, hexadecimal. */
  async sendRaw(to, raw) {
    return (await this.ask('POST', '/send', { to, raw })).id
  }

  async read(chat, ids) {
    await this.ask('POST', '/read', { chat, ids })
  }

  /** Waits for a message with this text. */
  message(text) {
    return this.#wait('messages', (item) => item.text === text)
  }

  /** Waits for the message with this id. */
  shown(id) {
    return this.#wait('messages', (item) => item.id === id)
  }

  /** Waits for the message with this id, and downloads and opens its file. */
  async file(id) {
    const { base64 } = await this.ask('GET', `/media/${id}?wait_ms=20000`)
    return Buffer.from(base64, 'base64')
  }

  /** Waits for a receipt for a message. */
  receipt(id, kind) {
    return this.#wait('receipts', (item) => item.id === id && item.kind === kind)
  }

  /** Waits for what the phone sees of somebody: `available`, `composing` and the like. */
  sign(kind) {
    return this.#wait('signs', (item) => item.kind === kind)
  }

  async #wait(what, wanted) {
    const end = Date.now() + DEADLINE
    for (let after = 0; Date.now() < end; ) {
      const { items } = await this.ask('GET', `/${what}?after=${after}&wait_ms=5000`)
      for (const item of items) {
        if (wanted(item)) return item
        after = item.seq
      }
    }
    throw new Error(`the phone has no such entry in its ${what}`)
  }
}

/** The next event that is wanted; others before it are taken. */
export async function nextEvent(client, wanted) {
  const matches = typeof wanted === 'string' ? (event) => event.kind === wanted : wanted
  const signal = AbortSignal.timeout(DEADLINE)
  for await (const event of client.events({ signal })) {
    if (matches(event)) return event
  }
  throw new Error('the events ended')
}

/** Links an open client to a phone, and waits until it is online. */
export async function link(client, phone) {
  const { text } = await client.linkWithQr({ timeoutMs: DEADLINE })
  await phone.scan(text)
  await client.connect({ timeoutMs: DEADLINE })
}

/** Two clients that are linked and online, and the phone of the second one. */
export async function pair(t, sandbox, engine) {
  const [own, phone] = await Promise.all([sandbox.phone(), sandbox.phone()])
  const open = () => Client.open(':memory:', { engine, autoStart: false })
  const [anna, ben] = await Promise.all([open(), open()])
  t.after(() => Promise.all([anna.close(), ben.close()]))
  await Promise.all([link(anna, own), link(ben, phone)])
  return { anna, ben, phone, chat: phone.jid, own }
}
