// Waits for events until Ctrl-C.

import { given, open } from './shared.mjs'

const client = await open()
client.ref()
if (given[0] !== 'unhandled') process.once('SIGINT', () => client.close())
console.log('ready')
let last
for await (const event of client.events()) last = event.kind
console.log(last)
