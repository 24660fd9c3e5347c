// Sends a picture, or saves the files that come in.
//
// `media.mjs send TO PICTURE` sends a picture and tells how far it is; Ctrl-C stops it.
// `media.mjs save FOLDER` saves the files of all messages, until Ctrl-C.
//
// Without a link it prints a QR code to scan with the phone's "Linked devices", and keeps the link in
// `media.db`. `--sandbox FILE` talks to a sandbox instead of the real service: FILE holds the line
// that `whimbrel-sandbox` prints when it is ready.

import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'

import { Client, Engine, WhimbrelError, drawQr, sandboxEndpoint } from 'whimbrel'

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: { sandbox: { type: 'string' }, store: { type: 'string', default: 'media.db' } },
})
const [task, ...rest] = positionals
if (rest.length !== { send: 2, save: 1 }[task]) {
  console.error('usage: media.mjs [--store FILE] [--sandbox FILE] send TO PICTURE | save FOLDER')
  process.exit(2)
}

/** Sends a picture. The signal cancels upload and message. */
async function send(client, [chat, path], signal) {
  const content = { type: 'image', media: { path }, caption: 'from whimbrel' }
  const sent = await client.sendMessage({ chat, content, transfer: basename(path) }, { signal })
  console.log(`sent ${basename(path)} as ${sent.messageId}`)
}

/** Saves the file of a message, if it has one. */
async function save(client, { content, sequence }, [folder]) {
  if (!content.media) return
  // A name of our own: what senders write is not to be trusted with paths.
  const suffix = /^\w+\/(\w+)/.exec(content.media.mimetype ?? '')?.[1] ?? 'bin'
  const path = join(folder, `${sequence}.${suffix}`)
  try {
    await client.downloadMedia({ reference: content.media.reference, path })
    console.log(`saved ${path}`)
  } catch (error) {
    if (!(error instanceof WhimbrelError)) throw error
    console.log(`not saved: ${error.message}`)
  }
}

const engine = new Engine(given.sandbox ? { endpoint: sandboxEndpoint(readFileSync(given.sandbox, 'utf8')) } : {})
// Events that were not acknowledged come again after a crash.
const client = await Client.open(given.store, { engine, manualAcknowledge: true })
client.ref() // Waiting for events alone does not keep a process running.
const stop = new AbortController()
process.once('SIGINT', () => {
  stop.abort()
  client.close()
})
let sending
for await (const event of client.events()) {
  if (event.kind === 'qr') {
    console.log(drawQr(event.text))
  } else if (event.kind === 'connection' && event.state === 'online' && task === 'send') {
    sending ??= send(client, rest, stop.signal)
      .catch((error) => console.log(`not sent: ${error.message}`))
      .finally(() => client.close())
  } else if (event.kind === 'media_progress') {
    console.log(`${event.transfer}: ${event.done} of ${event.total} bytes`)
  } else if (event.kind === 'message' && !event.fromMe && task === 'save') {
    await save(client, event, rest)
  }
  if (event.sequence && !stop.signal.aborted) client.acknowledge(event.sequence)
}
await sending
