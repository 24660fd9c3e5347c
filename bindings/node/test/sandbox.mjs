// The sandbox program and its simulated phones, for the tests of this package. `whimbrel/testing` has
// them for everybody.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Client } from 'whimbrel'
import { DEADLINE } from 'whimbrel/testing'

export { DEADLINE, Phone, Sandbox, soon } from 'whimbrel/testing'

// The program that `cargo xtask test node` builds.
process.env.WHIMBREL_SANDBOX ??= fileURLToPath(new URL('../../../target/debug/whimbrel-sandbox', import.meta.url))

/** A folder that goes away with the test. */
export function folder(t) {
  const path = mkdtempSync(join(tmpdir(), 'whimbrel-node-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

/** The next event that is wanted; others before it are taken. */
export async function nextEvent(client, wanted) {
  const matches = typeof wanted === 'string' ? (event) => event.kind === wanted : wanted
  const signal = AbortSignal.timeout(DEADLINE)
  for await (const event of client.events({ signal })) {
    if (matches(event)) return event
  }
  throw new Error('the events ended')
}

/** Links an open client to a phone, and waits until it is online. */
export const link = (client, phone) => phone.link(client)

/** Two clients that are linked and online, and the phone of the second one. */
export async function pair(t, sandbox, engine) {
  const [own, phone] = await Promise.all([sandbox.phone(), sandbox.phone()])
  const open = () => Client.open(':memory:', { engine, autoStart: false })
  const [anna, ben] = await Promise.all([open(), open()])
  t.after(() => Promise.all([anna.close(), ben.close()]))
  await Promise.all([link(anna, own), link(ben, phone)])
  return { anna, ben, phone, chat: phone.jid, own }
}
