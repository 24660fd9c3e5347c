// Linking, texts, receipts and quotes, with simulated phones.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { DEADLINE, Sandbox, folder, link, nextEvent, soon } from './sandbox.mjs'

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

async function open(t, path = ':memory:', options = {}) {
  const client = await Client.open(path, { engine, autoStart: false, ...options })
  t.after(() => client.close())
  return client
}

/** A linked client, its phone, and the phone of a friend. */
async function linked(t, path, options) {
  const [client, phone, friend] = await Promise.all([open(t, path, options), sandbox.phone(), sandbox.phone()])
  await link(client, phone)
  return { client, phone, friend }
}

test('linking by QR', async (t) => {
  const { client, phone } = await linked(t)
  const event = await nextEvent(client, 'linked')
  assert.equal(event.account.phone, phone.jid)
  assert.equal(event.sequence, 1)
  const account = await client.getAccount()
  assert.deepEqual(account.identity, event.account)
  assert.equal(account.device, event.device)
  assert.equal((await client.getConnection()).state, 'online')
  await assert.rejects(client.linkWithQr(), { code: Code.WrongState })
})

test('linking by QR from events alone', async (t) => {
  const [client, phone] = await Promise.all([open(t, ':memory:', { autoStart: true }), sandbox.phone()])
  const qr = await nextEvent(client, 'qr')
  assert.ok(qr.validForMs > 0)
  await phone.scan(qr.text)
  assert.equal((await nextEvent(client, 'linked')).account.phone, phone.jid)
  await nextEvent(client, (event) => event.kind === 'connection' && event.state === 'online')
})

test('linking by code', async (t) => {
  const [client, phone] = await Promise.all([open(t), sandbox.phone()])
  const { code, validForMs } = await client.linkWithCode({ phone: `+${phone.number}` }, { timeoutMs: DEADLINE })
  assert.match(code, /^[0-9A-Z]{4}-[0-9A-Z]{4}$/)
  assert.ok(validForMs > 60_000)
  await phone.enterCode(code)
  assert.equal((await nextEvent(client, 'linked')).account.phone, phone.jid)
})

test('texts both ways, with any character', async (t) => {
  const { client, phone, friend } = await linked(t)
  const text = 'duck 🦆, nul \0, line\nend'
  const id = await friend.send(phone.jid, text)
  const event = await nextEvent(client, 'message')
  assert.equal(event.text, text)
  assert.equal(event.messageId, id)
  assert.equal(event.fromMe, false)
  assert.equal(event.sender.phone, friend.jid)
  assert.ok(event.sequence > 0 && event.id !== '')

  const raw = client.raw(event)
  assert.ok(Buffer.isBuffer(raw))
  assert.equal(raw.length, event.rawSize)
  assert.ok(raw.includes(text), 'the raw message holds the text')
  assert.equal(client.raw({ ...event }), undefined)

  // An identity stands for an address.
  const sent = await client.sendText({ chat: event.chat, text: `got ${text}` }, { timeoutMs: DEADLINE })
  const arrived = await friend.message(`got ${text}`)
  assert.equal(arrived.id, sent.messageId)
  assert.deepEqual(sent.chat, event.chat)
  assert.ok(Math.abs(sent.timestamp - Date.now() / 1000) < 600)
  assert.equal((await phone.message(`got ${text}`)).from_me, true)
})

test('receipts both ways', async (t) => {
  const { client, phone, friend } = await linked(t)
  const id = await friend.send(phone.jid, 'read me')
  const event = await nextEvent(client, 'message')
  await friend.receipt(id, 'delivered')
  await client.markRead({ chat: event.chat, messageIds: [event.messageId] })
  await friend.receipt(id, 'read')

  const { messageId } = await client.sendText({ chat: friend.number, text: 'now you' })
  const receipt = (kind) => (one) => one.kind === 'receipt' && one.receipt === kind && one.messageIds.includes(messageId)
  assert.equal((await nextEvent(client, receipt('delivered'))).sender.phone, friend.jid)
  await friend.read(phone.jid, [messageId])
  assert.equal((await nextEvent(client, receipt('read'))).chat.phone, friend.jid)
})

test('quotes, and an id of the host', async (t) => {
  const first = await linked(t)
  const second = await linked(t)
  const messageId = 'HOST-0001'
  const question = { chat: second.phone.jid, text: 'a question', messageId }
  const sent = await first.client.sendText(question)
  assert.equal(sent.messageId, messageId)
  assert.equal((await first.client.sendText(question)).messageId, messageId, 'a repetition is no second message')

  const asked = await nextEvent(second.client, 'message')
  assert.equal(asked.messageId, messageId)
  const quote = { messageId: asked.messageId, sender: asked.sender }
  await second.client.sendText({ chat: asked.chat, text: 'an answer', quote })
  const answer = await nextEvent(first.client, (event) => event.kind === 'message' && !event.fromMe)
  assert.equal(answer.text, 'an answer')
  assert.equal(answer.quoted.messageId, messageId)
  assert.ok([first.phone.jid, first.phone.lid].includes(answer.quoted.sender))
})

test('a flood arrives in order, once, without gaps', async (t) => {
  const { client, phone, friend } = await linked(t)
  await nextEvent(client, 'linked')
  const count = 300
  const flood = (async () => {
    for (let number = 0; number < count; number += 1) await friend.send(phone.jid, `flood ${number}`)
  })()
  const texts = []
  let last
  for await (const event of client.events({ signal: AbortSignal.timeout(3 * DEADLINE) })) {
    if (event.sequence !== undefined) {
      assert.equal(event.sequence, (last ?? event.sequence - 1) + 1)
      last = event.sequence
    }
    if (event.kind !== 'message') continue
    texts.push(event.text)
    assert.ok(client.raw(event).includes(event.text))
    if (texts.length === count) break
  }
  await flood
  assert.deepEqual(texts, Array.from({ length: count }, (_, number) => `flood ${number}`))
})

test('what was not acknowledged by hand is offered again, under the same id', async (t) => {
  const path = join(folder(t), 'manual.db')
  const { client, phone, friend } = await linked(t, path, { manualAcknowledge: true })
  for (const text of ['one', 'two', 'three']) await friend.send(phone.jid, text)
  const take = async (from, text) => nextEvent(from, (event) => event.kind === 'message' && event.text === text)
  const [one, two, three] = [await take(client, 'one'), await take(client, 'two'), await take(client, 'three')]
  client.acknowledge(one.sequence)
  const again = await nextEvent(client, 'message')
  assert.deepEqual(again, two, 'a new loop begins after the last acknowledged event')
  await client.close()

  const reopened = await open(t, path, { manualAcknowledge: true })
  assert.deepEqual(await nextEvent(reopened, 'message'), two)
  assert.deepEqual(await nextEvent(reopened, (event) => event.text === 'three'), three)
  reopened.acknowledge(three.sequence)
  await reopened.close()

  const last = await open(t, path, { manualAcknowledge: true })
  const rest = []
  const all = (async () => {
    for await (const event of last.events()) rest.push(event)
  })()
  await last.close()
  await soon(all, 'the end of the events')
  assert.deepEqual(rest.filter((event) => event.sequence !== undefined), [])
})

test('a loop that ends early loses nothing', async (t) => {
  const { client, phone, friend } = await linked(t)
  for (const text of ['one', 'two', 'three']) await friend.send(phone.jid, text)
  await client.disconnect()
  const texts = []
  // One loop per event: the others of its batch wait for the next loop.
  while (texts.length < 3) {
    await client.connect()
    texts.push((await nextEvent(client, 'message')).text)
  }
  assert.deepEqual(texts, ['one', 'two', 'three'])
})

test('aborting', async (t) => {
  const { client, friend } = await linked(t)
  const reason = new Error('changed my mind')
  await assert.rejects(
    client.sendText({ chat: friend.jid, text: 'never' }, { signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  )
  await client.disconnect()
  const controller = new AbortController()
  const { signal } = controller
  const call = client.sendText({ chat: friend.jid, text: 'later' }, { signal, timeoutMs: DEADLINE })
  setImmediate(() => controller.abort(reason))
  await assert.rejects(call, (error) => error === reason)
  assert.equal(signal.onabort, null)

  // A signal that aborts after the call is of no consequence.
  const late = new AbortController()
  assert.equal((await client.getConnection({ signal: late.signal })).state, 'stopped')
  late.abort()

  const loop = new AbortController()
  const events = client.events({ signal: loop.signal })
  const taking = (async () => {
    for await (const event of events) assert.notEqual(event.kind, 'closed')
  })()
  setImmediate(() => loop.abort(reason))
  await assert.rejects(soon(taking, 'the abort'), (error) => error === reason)
  assert.deepEqual(await events.next(), { done: true, value: undefined })
  // The place of the consumer is free again.
  await client.connect({ timeoutMs: DEADLINE })
  await nextEvent(client, (event) => event.kind === 'connection' && event.state === 'online')
})

test('a deadline says whether the message may have left', async (t) => {
  const { client, friend } = await linked(t)
  await client.disconnect()
  await assert.rejects(client.sendText({ chat: friend.jid, text: 'too late' }, { timeoutMs: 150 }), (error) => {
    assert.equal(error.name, 'NetworkError')
    assert.equal(error.outcome, 'not_sent')
    return true
  })
})

test('logging out', async (t) => {
  const { client, phone } = await linked(t)
  await client.logout({ timeoutMs: DEADLINE })
  assert.equal((await nextEvent(client, 'logged_out')).reason, 'host')
  await assert.rejects(client.getAccount(), { code: Code.NotLinked })
  assert.deepEqual((await phone.ask('GET', '')).companions, [])
})

test('being removed by the phone', async (t) => {
  const { client, phone } = await linked(t)
  const { device } = await client.getAccount()
  await phone.ask('POST', '/unlink', { device })
  assert.equal((await nextEvent(client, 'logged_out')).reason, 'removed')
})

test('what a send waits for, and taking it back', async (t) => {
  const { client, friend } = await linked(t)
  const chat = friend.jid
  const delivered = await client.sendText({ chat, text: 'delivered', wait: 'delivered' }, { timeoutMs: DEADLINE })
  assert.ok(delivered.timestamp > 0)
  const status = await nextEvent(client, 'send_status')
  assert.deepEqual([status.messageId, status.error], [delivered.messageId, null])

  await client.disconnect()
  const queued = await client.sendText({ chat, text: 'queued', wait: 'queued', messageId: 'QUEUED' })
  assert.deepEqual([queued.messageId, queued.timestamp], ['QUEUED', 0])
  const controller = new AbortController()
  const call = client.sendText({ chat, text: 'cancelled' }, { signal: controller.signal })
  controller.abort()
  await assert.rejects(call, { name: 'AbortError' })
  // Who waits for a message that is taken back is told that it did not leave.
  const waiting = client.sendText({ chat, text: 'taken back', messageId: 'BACK' })
  const told = assert.rejects(waiting, { code: Code.Cancelled, outcome: 'not_sent' })
  await client.cancelSend({ chat, messageId: 'BACK' })
  await told
  await assert.rejects(client.cancelSend({ chat, messageId: 'BACK' }), { code: Code.NotFound })

  await client.connect({ timeoutMs: DEADLINE })
  await client.sendText({ chat, text: 'last' }, { timeoutMs: DEADLINE })
  await friend.message('last')
  const { items } = await friend.ask('GET', '/messages')
  assert.deepEqual(items.map((item) => item.text), ['delivered', 'queued', 'last'])
})
