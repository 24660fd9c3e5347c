// What the small programs of the lifecycle tests begin with.

import { readFileSync } from 'node:fs'

import { Client, Engine, sandboxEndpoint } from 'whimbrel'

const [, , readyFile, store, ...rest] = process.argv

/** Further arguments. */
export const given = rest

/** Opens the store on the test's sandbox. */
export async function open(options = {}) {
  const engine = new Engine({ endpoint: sandboxEndpoint(readFileSync(readyFile, 'utf8')) })
  return Client.open(store, { engine, ...options })
}
