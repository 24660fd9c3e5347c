/** @file Engines: threads and limits for any number of clients. */

import { native, settled } from './errors.js'
import { addon } from './native.js'
import type { NativeEngine } from './native.js'
import type { Identity } from './types.js'

/** Options of an engine. What is absent has a default that suits production. */
export interface EngineOptions {
  /** Worker threads of the engine. */
  workerThreads?: number
  /** Where the service is; the real one if absent. */
  endpoint?: Endpoint
  /** Version of the web client that is presented to the service. */
  clientVersion?: [number, number, number]
  /**
   * When the service refuses the version as too old, look for the present one on the service's
   * page, at most once an hour, and try again. Never done for a version that was set.
   */
  findVersion?: boolean
  /** How many clients may be connecting at a time. The others wait for their turn. */
  connectLimit?: number
  /** Longest silence after which the connection is probed. */
  keepAliveMs?: number
  /** Seed of all randomness, for repeatable tests. Never set it in production: keys become predictable. */
  insecureSeed?: number | bigint
}

/** Where the service is and how it proves itself. */
export interface Endpoint {
  /** WebSocket address; `ws://` is accepted for loopback addresses only. */
  url?: string
  /** Root of the server's Noise certificate: 32 bytes as hexadecimal digits, and its serial. */
  noiseRoot?: { publicKey: string; serial: number }
  /** A further TLS certificate authority in PEM form, such as a sandbox's. */
  caPem?: string
  /**
   * Page that names the present version of the web client; the service's own if absent and `url`
   * is the service's.
   */
  versionUrl?: string
}

/**
 * The endpoint of a sandbox, from the line of JSON that the program `whimbrel-sandbox` prints when
 * it is ready.
 */
export function sandboxEndpoint(readyLine: string): Endpoint {
  const { wss, noiseRoot, caPem } = JSON.parse(readyLine)
  return { url: wss, noiseRoot, caPem }
}

/**
 * What a link is imported from. Whatever used it before must not use it again: two holders of one
 * link throw each other out.
 */
export type ImportSource =
  /** A folder of Baileys' multi-file auth state. */
  | { from: 'baileys'; folder: string }
  /** An SQLite database of whatsmeow; `account`, a phone number or JID, says which if it holds several. */
  | { from: 'whatsmeow'; database: string; account?: string }
  /** A file that `Client.export` wrote. */
  | { from: 'export'; file: string; passphrase: string }

/** What was taken over and what was not. */
export interface ImportReport {
  /** The account. */
  identity: Identity
  /** Number of this device in the account. */
  device: number
  /** What was taken over; empty for a file of `Client.export`, which is taken over whole. */
  taken: { what: string; count: number }[]
  /** What was left out. */
  leftOut: { what: string; count: number; why: string }[]
  /** What may cause trouble though it was taken over. */
  warnings: string[]
}

/** Options of closing. */
export interface CloseOptions {
  /** What still runs at this deadline fails with `Code.Cancelled`. */
  timeoutMs?: number
}

/** @internal The addon's end of an engine. */
export let nativeOf: (engine: Engine) => NativeEngine

/** Owns threads and limits for any number of clients. Programs with usual needs never make one. */
export class Engine {
  readonly #native: NativeEngine

  static {
    nativeOf = (engine) => engine.#native
  }

  /** Starts an engine. */
  constructor(options: EngineOptions = {}) {
    const { insecureSeed, ...rest } = options
    const json = JSON.stringify({ ...rest, insecureSeed: insecureSeed?.toString() })
    this.#native = native(() => new addon.Engine(json))
  }

  /**
   * Makes the store `store` of a link from elsewhere; open a client on it afterwards. Nothing may
   * be at that path, and what fails leaves nothing there.
   */
  async import(source: ImportSource, store: string): Promise<ImportReport> {
    const report = native(() => this.#native.importLink(JSON.stringify({ ...source, store })))
    return JSON.parse(await settled(report)) as ImportReport
  }

  /** Closes all clients, each as its own `close` does, and ends the threads. */
  async close(options: CloseOptions = {}): Promise<void> {
    await settled(native(() => this.#native.close(options.timeoutMs)))
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

let shared: Engine | undefined

/** @internal The engine of clients that were not given one. */
export function sharedEngine(): Engine {
  return (shared ??= new Engine())
}
