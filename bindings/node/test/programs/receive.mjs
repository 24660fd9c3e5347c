// Tells what arrives, acknowledging each event by hand after it was written.

import { writeSync } from 'node:fs'

import { given, open } from './shared.mjs'

const client = await open({ manualAcknowledge: true })
let left = Number(given[0])
client.ref()
for await (const event of client.events()) {
  if (event.sequence === undefined) continue
  writeSync(1, `${JSON.stringify([event.sequence, event.id, event.text ?? null])}\n`)
  client.acknowledge(event.sequence)
  left -= 1
  if (left === 0) process.exit(0)
}
