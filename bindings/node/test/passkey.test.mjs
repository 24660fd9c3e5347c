// Linking where the service demands a passkey.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { DEADLINE, Sandbox, nextEvent } from './sandbox.mjs'

// What an authenticator gives, with nothing in it that the sandbox would look at.
const assertion = JSON.stringify({
  id: 'AQID',
  rawId: 'AQID',
  type: 'public-key',
  response: { clientDataJSON: 'e30', authenticatorData: 'AA', signature: 'AA', userHandle: 'AA' },
})

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

test('a passkey links when both screens show the same code', async (t) => {
  const client = await Client.open(':memory:', { engine, autoStart: false })
  t.after(() => client.close())
  const phone = await sandbox.phone()
  const options = { timeoutMs: DEADLINE }
  await client.linkWithQr(options)
  await assert.rejects(client.answerPasskey({ assertion }), { code: Code.WrongState })
  assert.deepEqual(await sandbox.ask('POST', '/passkey', { with_options: true }), { companions: 1 })
  assert.ok((await nextEvent(client, 'passkey_required')).options)
  const [answered, shown] = await Promise.all([
    client.answerPasskey({ assertion }, options),
    phone.ask('POST', '/passkey'),
  ])
  assert.equal(answered.code, shown.code)
  await client.confirmPasskey(options)
  assert.equal((await nextEvent(client, 'linked')).account.phone, phone.jid)
  await client.connect(options)

  const who = await client.getIdentity({ address: `+${phone.number}` })
  assert.deepEqual([who.phone, who.lid], [phone.jid, phone.lid])
  assert.deepEqual((await client.getStatistics()).undecryptable, [])
})
