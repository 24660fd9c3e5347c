// Pending calls keep the process, events only after `ref`, and a closing client until its loop
// has seen the end.

import { open } from './shared.mjs'

const client = await open({ autoStart: false })
const kinds = []
const loop = (async () => {
  for await (const event of client.events()) kinds.push(event.kind)
})()

client.ref()
// Alone, this timer would not keep the process.
await new Promise((resolve) => setTimeout(resolve, 100).unref())
client.unref()
console.log('held')

await client.connect({ timeoutMs: 100 }).catch((error) => console.log(error.codeName))
await client.close()
await loop
console.log(kinds.at(-1))
