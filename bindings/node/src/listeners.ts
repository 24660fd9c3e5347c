/** @file Events for listeners, as an alternative to a loop over them. */

import { EventEmitter } from 'node:events'

import type { ClientEvent } from './events.js'

/** The events of a kind. */
export type EventOf<K extends ClientEvent['kind']> = Extract<ClientEvent, { kind: K }>

/** What listeners are called with: events of one kind, all of them as `event`, and failed listeners as `error`. */
export type Listener<K> = K extends ClientEvent['kind']
  ? (event: EventOf<K>) => unknown
  : K extends 'event'
    ? (event: ClientEvent) => unknown
    : (error: unknown, event?: ClientEvent) => unknown

/** What can be listened to. */
export type ListenerName = ClientEvent['kind'] | 'event' | 'error'

type AnyListener = (...given: never[]) => unknown

/** The listeners of a client, and the loop that calls them while there are any. */
export class Listeners {
  readonly #emitter = new EventEmitter()
  readonly #events: (signal: AbortSignal) => AsyncIterable<ClientEvent>
  #stop: AbortController | undefined
  #last: Promise<void> = Promise.resolve()

  constructor(events: (signal: AbortSignal) => AsyncIterable<ClientEvent>) {
    this.#events = events
    this.#emitter.setMaxListeners(0)
  }

  add(name: ListenerName, listener: AnyListener, once: boolean): void {
    if (once) this.#emitter.once(name, listener as (...given: unknown[]) => void)
    else this.#emitter.on(name, listener as (...given: unknown[]) => void)
    if (name === 'error' || this.#stop) return
    const stop = (this.#stop = new AbortController())
    // Listeners that are added right after this one miss nothing.
    this.#last = this.#last.then(() => this.#run(stop))
  }

  remove(name: ListenerName, listener: AnyListener): void {
    this.#emitter.off(name, listener as (...given: unknown[]) => void)
    this.#stopIfNobodyListens()
  }

  #stopIfNobodyListens(): void {
    if (this.#emitter.eventNames().some((name) => name !== 'error')) return
    this.#stop?.abort()
    this.#stop = undefined
  }

  async #run(stop: AbortController): Promise<void> {
    if (stop.signal.aborted) return
    try {
      for await (const event of this.#events(stop.signal)) {
        await this.#call(event)
        if (stop.signal.aborted) break
      }
    } catch (error) {
      if (!stop.signal.aborted) this.#failed(error)
    } finally {
      if (this.#stop === stop) this.#stop = undefined
    }
  }

  async #call(event: ClientEvent): Promise<void> {
    for (const name of [event.kind, 'event']) {
      for (const listener of this.#emitter.rawListeners(name)) {
        try {
          await listener.call(undefined, event)
        } catch (error) {
          this.#failed(error, event)
        }
      }
    }
    // `once` has taken some away.
    this.#stopIfNobodyListens()
  }

  #failed(error: unknown, event?: ClientEvent): void {
    if (this.#emitter.listenerCount('error') > 0) {
      this.#emitter.emit('error', error, event)
      return
    }
    // As an emitter does with an error that nobody listens to: the process ends, or is told of it.
    process.nextTick(() => {
      throw error
    })
  }
}
