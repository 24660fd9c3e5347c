// Listeners as an alternative to the loop.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Client, Code, Engine } from 'whimbrel'

import { Sandbox, folder, link, soon } from './sandbox.mjs'

let sandbox, engine

before(async () => {
  sandbox = await Sandbox.start()
  engine = new Engine({ endpoint: sandbox.endpoint })
})

after(async () => {
  await engine.close()
  await sandbox.stop()
})

test('listeners are called in order, and what one throws stops nothing', async (t) => {
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  const client = await Client.open(`${folder(t)}/a.db`, { engine, autoStart: false })
  await link(client, phone)
  const seen = []
  const ended = new Promise((resolve) => {
    client
      .on('message', async ({ text, chat }) => {
        if (text === 'fail') throw new Error('a bug')
        await client.sendText({ chat, text: `echo ${text}` })
        seen.push(`first ${text}`)
      })
      .on('message', ({ text }) => seen.push(`second ${text}`))
      .once('message', ({ text }) => seen.push(`once ${text}`))
      .on('event', (event) => {
        if (event.kind === 'closed') resolve()
      })
      .on('error', (error, event) => seen.push(`${error.message} at ${event.text}`))
  })
  for (const text of ['one', 'fail', 'two']) await friend.send(phone.jid, text)
  await friend.message('echo two')
  await client.close()
  await soon(ended, 'the last event')
  assert.deepEqual(seen, [
    'first one',
    'second one',
    'once one',
    'a bug at fail',
    'second fail',
    'first two',
    'second two',
  ])
})

test('without listeners events wait, and a loop has them', async (t) => {
  const [phone, friend] = await Promise.all([sandbox.phone(), sandbox.phone()])
  const client = await Client.open(`${folder(t)}/a.db`, { engine, autoStart: false, manualAcknowledge: true })
  await link(client, phone)
  await friend.send(phone.jid, 'one')
  const seen = []
  await soon(
    new Promise((resolve) => {
      const listener = ({ text, sequence }) => {
        seen.push(text)
        client.acknowledge(sequence)
        client.off('message', listener)
        resolve()
      }
      client.on('message', listener)
    }),
    'the first message',
  )
  await friend.send(phone.jid, 'two')
  const loop = async () => {
    for (;;) {
      try {
        for await (const event of client.events()) if (event.kind === 'message') return event.text
      } catch (error) {
        // The listeners' loop is ending.
        assert.equal(error.code, Code.WrongState)
        await new Promise(setImmediate)
      }
    }
  }
  assert.equal(await soon(loop(), 'the second message'), 'two')
  // And listeners again.
  await friend.send(phone.jid, 'three')
  const third = new Promise((resolve) => client.on('message', ({ text }) => text === 'three' && resolve()))
  await soon(third, 'the third message')
  assert.deepEqual(seen, ['one'])
  await client.close()
})

test('a loop that runs already is an error of the listeners', async () => {
  const client = await Client.open(':memory:', { engine, autoStart: false })
  const loop = (async () => {
    for await (const _ of client.events());
  })()
  await new Promise(setImmediate)
  const failed = new Promise((resolve) => client.on('error', resolve))
  client.on('message', () => {})
  assert.equal((await soon(failed, 'the error')).code, Code.WrongState)
  await client.close()
  await loop
})
