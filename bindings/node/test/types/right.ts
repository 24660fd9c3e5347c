/** @file Calls that must type-check. */

import { Client, Code, Engine, WhimbrelError } from 'whimbrel'
import type { ClientEvent, Identity, Message, SentMessage } from 'whimbrel'

export async function converse(signal: AbortSignal): Promise<void> {
  await using engine = new Engine({ endpoint: { url: 'ws://127.0.0.1:1/ws/chat' }, insecureSeed: 1n })
  await using client = await Client.open('alice.db', { engine, manualAcknowledge: true })
  for await (const event of client.events({ signal })) {
    if (event.sequence !== undefined) client.acknowledge(event.sequence)
    if (event.kind === 'message' && event.text !== null) {
      const quote = { messageId: event.messageId, sender: event.sender }
      const sent: SentMessage = await client.sendText(
        { chat: event.chat, text: event.text, quote },
        { signal, timeoutMs: 20_000 },
      )
      const chat: Identity = sent.chat
      await client.markRead({ chat: chat.phone ?? chat.id, messageIds: [event.messageId] })
      const raw: Buffer | undefined = client.raw(event)
      console.log(raw?.length)
    }
  }
}

export function describe(event: ClientEvent): string {
  switch (event.kind) {
    case 'message':
      return text(event)
    case 'receipt':
      return event.receipt === 'read' ? 'read' : 'other'
    case 'connection':
      return event.state
    case 'unknown':
      return 'unknown'
    default:
      return event.kind
  }
}

export function listen(client: Client): void {
  client
    .on('message', async (message) => {
      const words: string | null = message.text
      await client.sendText({ chat: message.chat, text: words ?? '' })
    })
    .once('qr', ({ text }) => console.log(text.length))
    .on('event', (event) => console.log(event.kind))
    .on('error', (error, event) => console.error(error, event?.kind))
}

export async function stream(client: Client, body: AsyncIterable<Uint8Array>): Promise<void> {
  const { reference } = await client.upload(body, { kind: 'video' })
  const { stream, moved } = await client.downloadStream({ reference })
  const kept: string | undefined = moved
  stream.pipe(process.stdout)
  console.log(kept)
}

function text(message: Message): string {
  return message.quoted?.sender ?? message.text ?? ''
}

export function isTimeout(error: unknown): boolean {
  return error instanceof WhimbrelError && error.code === Code.TimedOut && error.outcome === 'not_sent'
}
