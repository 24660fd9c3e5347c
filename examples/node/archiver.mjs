// Keeps the files of all messages, each once, with an index of where they came from.
//
// `archiver.mjs FOLDER` saves every picture, film, voice note and document under the hash of its bytes, and
// adds a line of JSON to FOLDER/index.jsonl: when, from whom, in which chat, with which words, and the file.
// A message is acknowledged when its line is on the disk: what was under way in a crash is done again, and a
// line that is there already is not written twice. `--chat JID`, any number of times, keeps only those chats.
//
// Without a link it prints a QR code. `--sandbox FILE` talks to a sandbox instead of the real service.

import { createHash } from 'node:crypto'
import { createWriteStream, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'

import { Client, Engine, WhimbrelError, drawQr, sandboxEndpoint } from 'whimbrel'

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sandbox: { type: 'string' },
    store: { type: 'string', default: 'archiver.db' },
    chat: { type: 'string', multiple: true },
  },
})
const [folder] = positionals
if (folder === undefined) {
  console.error('usage: archiver.mjs [--store FILE] [--sandbox FILE] [--chat JID]... FOLDER')
  process.exit(2)
}
mkdirSync(folder, { recursive: true })
const index = join(folder, 'index.jsonl')
const kept = new Set(
  existsSync(index)
    ? readFileSync(index, 'utf8')
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line).event)
    : [],
)

/** The ending of a file's name, by what it is. Names that senders give are not to be trusted with paths. */
const ending = (mimetype) => /^\w+\/([\w-]+)/.exec(mimetype ?? '')?.[1] ?? 'bin'

/** Saves a file under its hash, and returns its name. */
async function save(client, media) {
  const hash = createHash('sha256')
  const part = join(folder, `.part-${process.pid}`)
  const { stream } = await client.downloadStream({ reference: media.reference })
  const hashing = new Transform({
    transform(bytes, _, done) {
      hash.update(bytes)
      done(null, bytes)
    },
  })
  try {
    await pipeline(stream, hashing, createWriteStream(part, { flush: true }))
    const name = `${hash.digest('hex')}.${ending(media.mimetype)}`
    await rename(part, join(folder, name))
    return name
  } finally {
    await rm(part, { force: true })
  }
}

/** Adds a line to the index and waits until the disk has it. */
async function note(line) {
  const file = await open(index, 'a')
  try {
    // A line that a crash cut off stays alone on its own.
    const { size } = await file.stat()
    const cut = size > 0 && !readFileSync(index, 'utf8').endsWith('\n')
    await file.write(`${cut ? '\n' : ''}${JSON.stringify(line)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  kept.add(line.event)
}

async function archive(client, message) {
  const { media } = message.content
  const { id, phone, lid } = message.chat
  const wanted = given.chat?.some((chat) => [id, phone, lid].includes(chat)) ?? true
  if (!media || !wanted || message.viewOnce || kept.has(message.id)) return
  try {
    const file = await save(client, media)
    await note({
      event: message.id,
      at: new Date(message.timestamp * 1000).toISOString(),
      chat: id,
      sender: message.sender.phone ?? message.sender.id,
      type: message.content.type,
      text: message.text,
      file,
    })
    console.log(`kept ${file}`)
  } catch (error) {
    if (!(error instanceof WhimbrelError)) throw error
    // Gone, or not what was sent: no later attempt will do better.
    console.log(`not kept: ${error.message}`)
  }
}

const engine = new Engine(given.sandbox ? { endpoint: sandboxEndpoint(readFileSync(given.sandbox, 'utf8')) } : {})
const client = await Client.open(given.store, { engine, manualAcknowledge: true })
client.ref() // Waiting for events alone does not keep a process running.
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
try {
  for await (const event of client.events({ signal: stop.signal })) {
    if (event.kind === 'qr') console.log(drawQr(event.text))
    if (event.kind === 'message') await archive(client, event)
    if (event.sequence) client.acknowledge(event.sequence)
  }
} catch (error) {
  if (!stop.signal.aborted) throw error
}
await client.close()
