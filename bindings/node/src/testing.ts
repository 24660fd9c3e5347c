/**
 * @file A sandbox for tests: the service's side of the protocol with simulated phones, on loopback.
 *
 *     import { Sandbox } from 'whimbrel/testing'
 *
 *     await using sandbox = await Sandbox.start()
 *     const [phone, friend] = [await sandbox.phone(), await sandbox.phone()]
 *     const engine = new Engine({ endpoint: sandbox.endpoint })
 *     const client = await Client.open(':memory:', { engine, autoStart: false })
 *     await phone.link(client)
 *     await client.sendText({ chat: friend.jid, text: 'hello' })
 *     await friend.message('hello')
 *
 * It runs the program `whimbrel-sandbox`: the one that the environment variable `WHIMBREL_SANDBOX`
 * names, or the one on the `PATH`.
 */

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

import { sandboxEndpoint } from './engine.js'
import type { Client } from './client.js'
import type { Endpoint } from './engine.js'

/** How long anything may take before a wait fails, in milliseconds. */
export const DEADLINE = 20_000

/** An entry of one of a phone's lists. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Entry = Record<string, any> & { seq: number }

/** The sandbox refused, or what was waited for did not happen. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError'
}

/** Fails unless a promise settles in time. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SandboxError(`${what} did not happen`)), DEADLINE)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A sandbox of one's own; it ends with `stop`, or with the process. */
export class Sandbox {
  readonly #child: ChildProcess
  /** The line of JSON that it printed when it was ready. */
  readonly readyLine: string
  /** Where engines find it. */
  readonly endpoint: Endpoint
  readonly #control: string

  private constructor(child: ChildProcess, readyLine: string) {
    this.#child = child
    this.readyLine = readyLine
    this.endpoint = sandboxEndpoint(readyLine)
    this.#control = (JSON.parse(readyLine) as { control: string }).control
  }

  /** Starts one. `options` are further ones of the program, such as `--strict`. */
  static async start(...options: string[]): Promise<Sandbox> {
    const program = process.env['WHIMBREL_SANDBOX'] || 'whimbrel-sandbox'
    const child = spawn(program, ['--exit-with-parent', ...options], { stdio: ['pipe', 'pipe', 'inherit'] })
    const line = new Promise<string>((resolve, reject) => {
      child.once('error', () =>
        reject(new SandboxError(`there is no ${program}: put it on the PATH, or name it in WHIMBREL_SANDBOX`)),
      )
      child.once('exit', (status) => reject(new SandboxError(`whimbrel-sandbox ended with status ${status}`)))
      createInterface(child.stdout).once('line', resolve)
    })
    return new Sandbox(child, await soon(line, 'the start of the sandbox'))
  }

  /** Asks the control API, which `whimbrel-sandbox --help` lists. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  async ask(method: string, path: string, body?: object): Promise<any> {
    const answer = await fetch(this.#control + path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body ? JSON.stringify(body) : null,
    })
    const text = await answer.text()
    if (!answer.ok) throw new SandboxError(`${method} ${path}: ${text}`)
    return text ? JSON.parse(text) : undefined
  }

  /** A new simulated phone, with an account. What is absent is made up. */
  async phone(settings: { phone?: string; name?: string } = {}): Promise<Phone> {
    return new Phone(this, (await this.ask('POST', '/phones', settings)) as PhoneView)
  }

  /** Ends it, and fails if a client broke the protocol's rules about keys. */
  async stop(): Promise<void> {
    const { items } = (await this.ask('GET', '/violations')) as { items: object[] }
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin?.end()
    await soon(ended, "the sandbox's end")
    if (items.length) throw new SandboxError(`a client broke the rules: ${JSON.stringify(items)}`)
  }

  /** Ends it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

interface PhoneView {
  phone: string
  jid: string
  lid: string
}

/** A simulated phone with an account of its own. */
export class Phone {
  readonly #sandbox: Sandbox
  /** Its number, digits only. */
  readonly number: string
  /** The address of its account by number. */
  readonly jid: string
  /** The hidden address of its account. */
  readonly lid: string

  /** @internal */
  constructor(sandbox: Sandbox, view: PhoneView) {
    this.#sandbox = sandbox
    this.number = view.phone
    this.jid = view.jid
    this.lid = view.lid
  }

  /** Asks the control API for something of this phone. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  ask(method: string, what: string, body?: object): Promise<any> {
    return this.#sandbox.ask(method, `/phones/${this.number}${what}`, body)
  }

  /** Links a client that is open, and waits until it is online. */
  async link(client: Client): Promise<void> {
    const { text } = await client.linkWithQr({ timeoutMs: DEADLINE })
    await this.scan(text)
    await client.connect({ timeoutMs: DEADLINE })
  }

  /** Scans the QR code of a client, which links it. */
  async scan(qr: string): Promise<void> {
    await this.ask('POST', '/scan', { qr })
  }

  /** Types the pairing code of a client, which links it. */
  async enterCode(code: string): Promise<void> {
    await this.ask('POST', '/code', { code })
  }

  /** Sends a text to an address, and returns the id of the message. */
  async send(to: string, text: string): Promise<string> {
    return (await this.ask('POST', '/send', { to, text })).id
  }

  /** Sends a message of any kind as protobuf, hexadecimal. */
  async sendRaw(to: string, raw: string): Promise<string> {
    return (await this.ask('POST', '/send', { to, raw })).id
  }

  /** Sends a file, and returns the id of the message. */
  async sendFile(to: string, kind: string, mimetype: string, bytes: Uint8Array): Promise<string> {
    const base64 = Buffer.from(bytes).toString('base64')
    return (await this.ask('POST', '/send-media', { to, kind, mimetype, base64 })).id
  }

  /** Reads messages of a chat. */
  async read(chat: string, ids: string[]): Promise<void> {
    await this.ask('POST', '/read', { chat, ids })
  }

  /** Waits for a message with this text. */
  message(text: string): Promise<Entry> {
    return this.wait('messages', (item) => item['text'] === text)
  }

  /** Waits for the message with this id. */
  shown(id: string): Promise<Entry> {
    return this.wait('messages', (item) => item['id'] === id)
  }

  /** Waits for the message with this id, and downloads and opens its file. */
  async file(id: string): Promise<Buffer> {
    const { base64 } = await this.ask('GET', `/media/${id}?wait_ms=20000`)
    return Buffer.from(base64, 'base64')
  }

  /** Waits for a receipt for a message: `delivered`, `read` and so on. */
  receipt(id: string, kind: string): Promise<Entry> {
    return this.wait('receipts', (item) => item['id'] === id && item['kind'] === kind)
  }

  /** Waits until a companion device, not only the phone, has a message. */
  deviceReceipt(id: string): Promise<Entry> {
    return this.wait('receipts', (item) => item['id'] === id && item['from'].includes(':'))
  }

  /** Waits for what the phone sees of somebody: `available`, `composing` and the like. */
  sign(kind: string): Promise<Entry> {
    return this.wait('signs', (item) => item['kind'] === kind)
  }

  /** Waits for an entry of one of the phone's lists: `messages`, `receipts` or `signs`. */
  async wait(what: string, wanted: (item: Entry) => boolean): Promise<Entry> {
    const end = Date.now() + DEADLINE
    for (let after = 0; Date.now() < end; ) {
      const { items } = (await this.ask('GET', `/${what}?after=${after}&wait_ms=5000`)) as { items: Entry[] }
      for (const item of items) {
        if (wanted(item)) return item
        after = item.seq
      }
    }
    throw new SandboxError(`the phone has no such entry in its ${what}`)
  }
}
