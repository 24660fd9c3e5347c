// A chat in the terminal.
//
// Each line of input is `TO TEXT`, where TO is a phone number with its country code or an address;
// texts that arrive are printed as `FROM: TEXT`. Without a link it prints a QR code to scan with the
// phone's "Linked devices". It ends when its input does (Ctrl-D).
//
// `--json` prints one JSON object per line instead, for other programs. `--sandbox FILE` talks to a
// sandbox instead of the real service: FILE holds the line that `whimbrel-sandbox` prints when it is
// ready.

import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

import { Client, Engine, WhimbrelError, drawQr, sandboxEndpoint } from 'whimbrel'

const { values: given } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    sandbox: { type: 'string' },
    store: { type: 'string', default: 'chat.db' },
  },
})

/** Prints what happens, for people or as JSON. */
function tell(words, event) {
  console.log(given.json ? JSON.stringify(event) : words)
}

/** The phone number of a person, or the address if the number is not known. */
function number(who) {
  return who.phone?.split('@')[0] ?? who.id
}

async function show(client) {
  for await (const event of client.events()) {
    if (event.kind === 'qr') {
      const drawing = drawQr(event.text)
      tell(drawing, { event: 'qr', text: event.text, drawing })
    } else if (event.kind === 'connection' && event.state === 'online') {
      const phone = number((await client.getAccount()).identity)
      tell(`online as ${phone}`, { event: 'online', phone })
    } else if (event.kind === 'message' && event.text !== null && !event.fromMe) {
      const from = number(event.sender)
      tell(`${from}: ${event.text}`, { event: 'message', from, text: event.text })
    } else if (event.kind === 'link_failed' || event.kind === 'logged_out') {
      tell(`not linked: ${event.reason}`, { event: 'not_linked', reason: event.reason })
    }
  }
}

async function send(client, line) {
  const [, to, text] = /^(\S+)\s*(.*)$/.exec(line)
  try {
    const sent = await client.sendText({ chat: to, text })
    tell(`sent to ${to}`, { event: 'sent', to, text, id: sent.messageId })
  } catch (error) {
    if (!(error instanceof WhimbrelError)) throw error
    tell(`not sent: ${error.message}`, { event: 'not_sent', to, text, reason: error.message })
  }
}

const engine = new Engine(given.sandbox ? { endpoint: sandboxEndpoint(readFileSync(given.sandbox, 'utf8')) } : {})
const client = await Client.open(given.store, { engine, deviceName: 'chat' })
const shown = show(client)
// Input that arrives while a text is being sent waits in the interface.
for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim()) await send(client, line.trim())
}
await client.close()
await shown // Ends with the client.
