// Leaves with everything under way, in the way that the argument names.

import { given, open } from './shared.mjs'

const client = await open()
const loop = async () => {
  for await (const event of client.events()) {
    if (given[0] === 'throw') throw new Error('thrown in the loop')
    if (given[0] === 'exit-in-loop' && event.kind === 'qr') process.exit(0)
  }
}
// Nobody waits for it: it does not keep the process.
loop()
if (given[0] === 'exit') {
  void client.linkWithQr()
  process.exit(0)
}
if (given[0] === 'exit-in-loop' || given[0] === 'throw') client.ref()
