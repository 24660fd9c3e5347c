// A client that nobody has any more is closed, and its store can be opened again.

import { setTimeout as sleep } from 'node:timers/promises'

import { open } from './shared.mjs'

await (async () => {
  const client = await open({ autoStart: false })
  await client.getConnection()
})()
for (;;) {
  globalThis.gc()
  try {
    const again = await open({ autoStart: false })
    await again.close()
    break
  } catch (error) {
    if (error.codeName !== 'STORE_LOCKED') throw error
    await sleep(10)
  }
}
console.log('opened again')
