// Blocks the thread of JavaScript for a while, then tells the first message.

import { writeSync } from 'node:fs'

import { open } from './shared.mjs'

const client = await open()
await client.connect()
client.ref()
writeSync(1, 'held\n')
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6000)
writeSync(1, 'free\n')
for await (const event of client.events()) {
  if (event.kind !== 'message') continue
  writeSync(1, `${event.text}\n`)
  break
}
await client.close()
