/** @file Calls that must not type-check: each is an error, or the line above it is. */

import { Client, Code, Engine, WhimbrelError } from 'whimbrel'
import type { ClientEvent } from 'whimbrel'

export async function wrong(client: Client, event: ClientEvent): Promise<void> {
  // @ts-expect-error a chat is needed
  await client.sendText({ text: 'hello' })
  // @ts-expect-error the request is one object
  await client.sendText('15550001234', 'hello')
  // @ts-expect-error texts are strings
  await client.sendText({ chat: '15550001234', text: 7 })
  // @ts-expect-error a typo in a request
  await client.sendText({ chat: '15550001234', text: 'hello', qoute: null })
  // @ts-expect-error an address is a string or an identity
  await client.sendText({ chat: { jid: '15550001234' }, text: 'hello' })
  // @ts-expect-error milliseconds are a number
  await client.connect({ timeoutMs: '5s' })
  // @ts-expect-error there is no such operation
  await client.sendTxt({ chat: '15550001234', text: 'hello' })
  // @ts-expect-error sequence numbers are numbers
  client.acknowledge('7')
  // @ts-expect-error clients are opened, not made
  new Client()
  // @ts-expect-error there is no such option
  new Engine({ workers: 2 })
  // @ts-expect-error there is no such option
  await Client.open('a.db', { autostart: true })
  // @ts-expect-error there is no such kind
  if (event.kind === 'mesage') return
  // @ts-expect-error only some kinds have a text
  event.text
  // @ts-expect-error a text may be absent
  if (event.kind === 'message') event.text.length
  // @ts-expect-error moments have no position
  if (event.kind === 'qr') client.acknowledge(event.sequence)
  // @ts-expect-error there is no such kind
  client.on('mesage', () => {})
  // @ts-expect-error a QR event has no chat
  client.on('qr', ({ chat }) => chat)
  // @ts-expect-error a path is no stream
  await client.upload('picture.jpg', { kind: 'image' })
  // @ts-expect-error answers are what they are
  const account: string = await client.getAccount()
  // @ts-expect-error codes are members of `Code`
  Code.Timeout
  // @ts-expect-error there is no such code
  if (account instanceof WhimbrelError) account.code === 12345
}
