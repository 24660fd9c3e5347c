/** @file Events between the addon and the one loop that takes them. */

import type { ClientEvent } from './events.js'
import { native, settled } from './errors.js'
import type { NativeClient } from './native.js'

/** What a client's event loops share: the batch being taken, and who waits for the next. */
export class Inbox {
  readonly #native: NativeClient
  readonly #manual: boolean
  readonly #raw = new WeakMap<object, Buffer>()
  #batch: ClientEvent[] = []
  #taken = 0
  #ended = false
  #waiting: (() => void) | undefined
  #referenced = false
  #closing = false

  constructor(client: NativeClient, manualAcknowledge: boolean) {
    this.#native = client
    this.#manual = manualAcknowledge
  }

  /** Nothing follows, and everything was taken. */
  get ended(): boolean {
    return this.#ended && this.#taken === this.#batch.length
  }

  subscribe(): void {
    native(() => this.#native.subscribe())
  }

  async unsubscribe(): Promise<void> {
    // Who acknowledges by hand is offered the rest again; otherwise it was acknowledged with its
    // batch, and the next loop begins with it.
    if (this.#manual) this.#batch.length = this.#taken = 0
    await settled(native(() => this.#native.unsubscribe()))
  }

  /** The next event, if there is one now. */
  take(): ClientEvent | undefined {
    if (this.#taken === this.#batch.length) this.#drain()
    const event = this.#batch[this.#taken]
    if (event) this.#taken += 1
    return event
  }

  #drain(): void {
    const batch = native(() => this.#native.drain())
    if (!batch) return
    this.#batch = JSON.parse(batch.json) as ClientEvent[]
    this.#taken = 0
    this.#ended = batch.ended
    let offset = 0
    for (const event of this.#batch) {
      if (!('rawSize' in event) || !batch.raw || event.rawSize === 0) continue
      this.#raw.set(event, batch.raw.subarray(offset, offset + event.rawSize))
      offset += event.rawSize
    }
  }

  raw(event: ClientEvent): Buffer | undefined {
    return this.#raw.get(event)
  }

  /** Waits until it may be worth while to look again. */
  async wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting = resolve
      this.#hold()
    })
  }

  /** Ends the waiting. */
  wake(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#hold()
    waiting?.()
  }

  /** Whether events keep the process alive. */
  reference(referenced: boolean): void {
    this.#referenced = referenced
    this.#hold()
  }

  /** The client closes: a loop that waits is to see its end. */
  closing(): void {
    this.#closing = true
    this.#referenced = false
    this.#hold()
  }

  #hold(): void {
    native(() => this.#native.hold(this.#referenced || (this.#closing && this.#waiting !== undefined)))
  }
}

/** The loop over a client's events. */
export class EventIterator implements AsyncIterableIterator<ClientEvent, undefined> {
  readonly #inbox: Inbox
  readonly #signal: AbortSignal | undefined
  #state: 'new' | 'subscribed' | 'done' = 'new'
  #last: Promise<unknown> = Promise.resolve()

  constructor(inbox: Inbox, signal: AbortSignal | undefined) {
    this.#inbox = inbox
    this.#signal = signal
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The next event. Calls are answered in their order. */
  next(): Promise<IteratorResult<ClientEvent, undefined>> {
    const next = this.#last.then(() => this.#next())
    this.#last = next.catch(() => undefined)
    return next
  }

  /** Ends the loop. */
  async return(): Promise<IteratorResult<ClientEvent, undefined>> {
    await this.#end()
    return { done: true, value: undefined }
  }

  async #next(): Promise<IteratorResult<ClientEvent, undefined>> {
    if (this.#state !== 'done' && this.#signal?.aborted) await this.#abort(this.#signal)
    if (this.#state === 'new') {
      this.#inbox.subscribe()
      this.#state = 'subscribed'
    }
    while (this.#state === 'subscribed') {
      const event = this.#inbox.take()
      if (event) return { done: false, value: event }
      if (this.#inbox.ended) await this.#end()
      else await this.#wait()
    }
    return { done: true, value: undefined }
  }

  async #wait(): Promise<void> {
    const signal = this.#signal
    const abort = (): void => this.#inbox.wake()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      await this.#inbox.wait()
    } finally {
      signal?.removeEventListener('abort', abort)
    }
    if (signal?.aborted) await this.#abort(signal)
  }

  async #abort(signal: AbortSignal): Promise<never> {
    await this.#end()
    throw signal.reason
  }

  async #end(): Promise<void> {
    const subscribed = this.#state === 'subscribed'
    this.#state = 'done'
    if (!subscribed) return
    this.#inbox.wake()
    await this.#inbox.unsubscribe()
  }
}
