#!/usr/bin/env node
/** @file `npx whimbrel`: link an account, send, listen, and export the link. */

import { readFileSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

import { Client, Code, Engine, WhimbrelError, drawQr, sandboxEndpoint, version } from './index.js'
import type { ClientEvent, ContentInput, Identity } from './index.js'

const HELP = `usage: whimbrel [--store FILE] [--sandbox FILE] TASK

  link [--code PHONE] [--name NAME]   link this device to a phone, by QR or by a code typed on that phone
  send TO [TEXT] [--file PATH]        send a text, or a file with a caption
  listen [--json]                     print what arrives, until Ctrl-C; --json: every event, a line each
  export PATH                         move the link into an encrypted file; the store is of no use afterwards

  --store FILE     file of the link (default: whimbrel.db)
  --sandbox FILE   file with a sandbox's ready line, to talk to that instead of the service

TO is a phone number with its country code, or an address. WHIMBREL_PASSPHRASE opens the exported file.`

/** How long to wait for the connection. */
const SOON = { timeoutMs: 60_000 }

/** What is told to whoever typed the command. */
class Complaint extends Error {
  readonly status: number

  constructor(message: string, status = 1) {
    super(message)
    this.status = status
  }
}

interface Given {
  words: string[]
  store: string
  sandbox?: string
  code?: string
  name?: string
  file?: string
  json?: boolean
}

const name = (who: Identity): string => who.phone?.split('@')[0] ?? who.id

async function isLinked(client: Client): Promise<boolean> {
  try {
    await client.getAccount()
    return true
  } catch (error) {
    if (error instanceof WhimbrelError && error.code === Code.NotLinked) return false
    throw error
  }
}

async function link(client: Client, given: Given): Promise<void> {
  if (await isLinked(client)) {
    console.log(`linked already as ${name((await client.getAccount()).identity)}`)
    return
  }
  if (given.code) {
    const { code } = await client.linkWithCode({ phone: given.code })
    console.log(`type this code on the phone: ${code}`)
  } else {
    await client.linkWithQr()
  }
  client.ref()
  for await (const event of client.events()) {
    if (event.kind === 'qr' && !given.code) {
      console.log(`${drawQr(event.text)}\nscan it on the phone, under Linked devices`)
    } else if (event.kind === 'link_failed') {
      throw new Complaint(`not linked: ${event.reason}`)
    } else if (event.kind === 'pairing_code_failed') {
      throw new Complaint('not linked: the code was not typed in time')
    } else if (event.kind === 'linked') {
      break
    }
  }
  // The service wants the link to be used once before it counts.
  await client.connect(SOON)
  console.log(`linked as ${name((await client.getAccount()).identity)}`)
}

/** What a file is sent as, by its name. */
function content(path: string, caption: string | undefined): ContentInput {
  const media = { path }
  const words = caption === undefined ? {} : { caption }
  if (/^\.(jpe?g|png|webp|gif)$/i.test(extname(path))) return { type: 'image', media, ...words }
  if (/^\.(mp4|mov)$/i.test(extname(path))) return { type: 'video', media, ...words }
  return { type: 'document', media, fileName: basename(path), ...words }
}

async function send(client: Client, { words: [chat, text], file }: Given): Promise<void> {
  if (chat === undefined || (text === undefined && file === undefined)) throw new Complaint(HELP, 2)
  await client.connect(SOON)
  const sent = file
    ? await client.sendMessage({ chat, content: content(file, text) })
    : await client.sendText({ chat, text: text ?? '' })
  console.log(sent.messageId)
}

/** A line for people; `undefined` for what does not concern them. */
function line(event: ClientEvent): string | undefined {
  switch (event.kind) {
    case 'message': {
      const place = event.chat.id === event.sender.id ? '' : ` in ${name(event.chat)}`
      return `${name(event.sender)}${place}: ${event.text ?? `[${event.content.type}]`}`
    }
    case 'connection':
      return `(${event.state})`
    case 'logged_out':
      return `(logged out: ${event.reason})`
    default:
      return undefined
  }
}

async function listen(client: Client, { json }: Given): Promise<void> {
  await client.connect(SOON)
  client.ref()
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  try {
    for await (const event of client.events({ signal: stop.signal })) {
      const words = json ? JSON.stringify(event) : line(event)
      if (words !== undefined) console.log(words)
      if (event.kind === 'logged_out') throw new Complaint(`logged out: ${event.reason}`)
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error
    process.exitCode = 130
  }
}

async function exportLink(client: Client, { words: [path] }: Given): Promise<void> {
  if (path === undefined) throw new Complaint(HELP, 2)
  const passphrase = process.env['WHIMBREL_PASSPHRASE'] ?? (await ask('passphrase: '))
  await client.export({ path, passphrase })
  console.log(`exported to ${path}; the store refuses to open from now on`)
}

/** Asks at the terminal. What is typed is not shown. */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, terminal: false })
  process.stderr.write(question)
  const hidden = process.stdin.isTTY
  if (hidden) process.stdin.setRawMode(true)
  try {
    for await (const typed of terminal) return typed
  } finally {
    if (hidden) process.stdin.setRawMode(false)
    terminal.close()
  }
  throw new Complaint('there is no passphrase')
}

const TASKS: Record<string, (client: Client, given: Given) => Promise<void>> = { link, send, listen, export: exportLink }

async function main(): Promise<void> {
  const { values, positionals } = parse()
  const [task, ...words] = positionals
  if (values.version) return console.log(version)
  if (values.help) return console.log(HELP)
  const run = task === undefined ? undefined : TASKS[task]
  if (!run) throw new Complaint(HELP, 2)
  const given: Given = { ...values, words, store: values.store ?? 'whimbrel.db' }
  const endpoint = given.sandbox && sandboxEndpoint(readFileSync(given.sandbox, 'utf8'))
  const engine = new Engine(endpoint ? { endpoint } : {})
  const deviceName = given.name === undefined ? {} : { deviceName: given.name }
  try {
    const client = await Client.open(given.store, { engine, autoStart: false, ...deviceName })
    try {
      if (run !== link && !(await isLinked(client))) throw new Complaint('not linked: run `npx whimbrel link` first')
      await run(client, given)
    } finally {
      await client.close()
    }
  } finally {
    await engine.close()
  }
}

function parse() {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        store: text,
        sandbox: text,
        code: text,
        name: text,
        file: text,
        json: flag,
        help: { ...flag, short: 'h' },
        version: flag,
      },
    })
  } catch (error) {
    throw new Complaint(`${(error as Error).message}\n\n${HELP}`, 2)
  }
}

main().catch((error: unknown) => {
  if (!(error instanceof WhimbrelError) && !(error instanceof Complaint)) throw error
  console.error(error instanceof Complaint && error.status === 2 ? error.message : `whimbrel: ${error.message}`)
  process.exitCode = error instanceof Complaint ? error.status : 1
})
