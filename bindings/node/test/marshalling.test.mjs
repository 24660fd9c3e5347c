// Every shape of value crosses the boundary unchanged, without a network.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'

import { Client, Code, Engine, WhimbrelError, drawQr, version } from 'whimbrel'

let engine, client

before(async () => {
  engine = new Engine()
  client = await Client.open(':memory:', { engine, autoStart: false })
})

after(() => engine.close())

const values = {
  text: 'nul \0, emoji 🦆👩‍🚀, line\nend, "quotes" \\ \u2028',
  number: -Number.MAX_SAFE_INTEGER,
  large: '18446744073709551615',
  flag: true,
  nested: [[1, -2], [], [3]],
  nothing: null,
  choice: 'second',
}

test('values come back as they were', async () => {
  assert.deepEqual(await client.debugEcho(values), values)
  const { nothing, ...rest } = values
  assert.deepEqual(await client.debugEcho({ ...rest, flag: false, nothing: undefined }), { ...values, flag: false })
  assert.deepEqual(await client.request('debug_echo', values), values)
})

test('many calls at once are answered each', async () => {
  const calls = Array.from({ length: 500 }, (_, number) => client.debugEcho({ ...values, number }))
  const answers = await Promise.all(calls)
  assert.deepEqual(answers.map((answer) => answer.number), [...answers.keys()])
})

test('every code becomes an error of its category', async () => {
  const categories = ['Usage', 'Network', 'Account', 'Service', 'Crypto', 'Store', 'Media']
  for (const [name, code] of Object.entries(Code)) {
    await assert.rejects(client.debugFail({ code }), (error) => {
      assert.ok(error instanceof WhimbrelError && error instanceof Error)
      assert.equal(error.code, code, name)
      assert.equal(error.name, `${categories[Math.floor(code / 100)] ?? 'Internal'}Error`)
      assert.equal(error.message, 'failed as asked')
      assert.equal(error.operation, 'debug_fail')
      assert.equal(error.outcome, 'not_sent')
      assert.match(error.stack, /marshalling\.test/)
      return true
    })
  }
})

test('malformed requests are refused, each with its reason', async () => {
  const refused = (request, message) =>
    assert.rejects(request, { name: 'UsageError', code: Code.InvalidArgument, message })
  await refused(client.debugEcho({ ...values, choice: 'third' }), /unknown variant/)
  await refused(client.debugEcho({ ...values, number: 0.5 }), /invalid type: floating point/)
  await refused(client.debugEcho({ ...values, typo: 1 }), /unknown field `typo`/)
  await refused(client.debugEcho({ text: '' }), /missing field/)
  await refused(client.debugEcho({ ...values, text: '\ud800' }), /lone .*surrogate|hex escape/)
  await refused(client.debugFail({ code: 7777 }), /no error code/)
  await refused(client.debugEcho(values, { timeoutMs: -1 }), /not negative/)
  await refused(client.debugEcho(values, { timeoutMs: Number.NaN }), /not negative/)
  await refused(client.debugEcho(values, { timeoutMs: Infinity }), /not negative/)
  await refused(client.debugEcho(values, { timeoutMs: 'soon' }), /wrong type/)
  await assert.rejects(client.request('send_txt'), { code: Code.UnknownOperation })
})

test('malformed options are refused', async () => {
  const refused = { name: 'UsageError', code: Code.InvalidArgument }
  assert.throws(() => new Engine({ workers: 2 }), refused)
  assert.throws(() => new Engine({ endpoint: { url: 'http://127.0.0.1/' } }), refused)
  assert.throws(() => new Engine({ endpoint: { noiseRoot: { publicKey: 'ab', serial: 0 } } }), refused)
  assert.throws(() => new Engine({ endpoint: { noiseRoot: { publicKey: 'x'.repeat(64), serial: 0 } } }), refused)
  assert.throws(() => new Engine({ insecureSeed: 2n ** 64n }), refused)
  await assert.rejects(Client.open(':memory:', { engine, autostart: false }), refused)
  await assert.rejects(Client.open(7, { engine }), refused)
  assert.throws(() => client.acknowledge(1.5), refused)
  assert.throws(() => client.acknowledge(-1), refused)
})

test('the greatest seed is taken', async () => {
  await new Engine({ insecureSeed: 2n ** 64n - 1n, workerThreads: 1, keepAliveMs: 5000 }).close()
})

test('both parts of the package have one version', () => {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  assert.equal(version, JSON.parse(manifest).version)
})

test('a QR text is drawn', () => {
  const lines = drawQr('2@reference,key,key,secret').trimEnd().split('\n')
  assert.ok(lines.length > 10 && lines.every((line) => line.length === lines[0].length))
  assert.match(lines[0], /^█+$/)
  assert.throws(() => drawQr('x'.repeat(8000)), { code: Code.InvalidArgument })
})
