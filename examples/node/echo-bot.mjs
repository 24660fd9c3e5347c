// Answers every text with the same text.
//
// Prints a QR code to scan with the phone's "Linked devices", and keeps the link in `echo.db`.
// `--sandbox FILE` talks to a sandbox instead of the real service: FILE holds the line that
// `whimbrel-sandbox` prints when it is ready.

import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { Client, Engine, drawQr, sandboxEndpoint } from 'whimbrel'

const { values: given } = parseArgs({
  options: { sandbox: { type: 'string' }, store: { type: 'string', default: 'echo.db' } },
})
const engine = new Engine(given.sandbox ? { endpoint: sandboxEndpoint(readFileSync(given.sandbox, 'utf8')) } : {})

const client = await Client.open(given.store, { engine })
client.ref() // Waiting for events alone does not keep a process running.
process.once('SIGINT', () => client.close())
for await (const event of client.events()) {
  if (event.kind === 'qr') {
    console.log(drawQr(event.text))
  } else if (event.kind === 'message' && event.text !== null && !event.fromMe) {
    await client.sendText({ chat: event.chat, text: event.text })
  }
}
