/** @file Clients: linked accounts, each in its store file. */

import { Code } from './codes.js'
import { nativeOf, sharedEngine } from './engine.js'
import type { CloseOptions, Engine } from './engine.js'
import { fromNative, native, settled } from './errors.js'
import type { ClientEvent } from './events.js'
import { EventIterator, Inbox } from './inbox.js'
import { Listeners } from './listeners.js'
import type { Listener, ListenerName } from './listeners.js'
import type { NativeCall, NativeClient } from './native.js'
import { Operations } from './operations.js'
import type { CallOptions } from './operations.js'
import { spooled, streamed } from './streams.js'
import type { DownloadStream } from './streams.js'
import type { DownloadMedia, Export, UploadMedia, UploadedMedia } from './types.js'

/** Options of a client. What is absent has a default that suits production. */
export interface ClientOptions {
  /** The engine to open it on; one that all such clients share if absent. */
  engine?: Engine
  /**
   * Connect as soon as the client is opened: log in when linked, else begin linking by QR (codes
   * come as events). With `false` nothing happens until `connect` or one of the `link…` calls.
   */
  autoStart?: boolean
  /**
   * The host acknowledges events itself, with `acknowledge`. Otherwise events are acknowledged
   * when they are fetched from the engine, some time before the loop comes to each.
   */
  manualAcknowledge?: boolean
  /** Deadline of calls that do not give their own. */
  requestTimeoutMs?: number
  /** Name under which the phone lists this device. */
  deviceName?: string
  /** Events that may wait unacknowledged before the engine stops reading from the service. */
  journalLimit?: number
  /** The same in bytes; default 256 MiB. */
  journalLimitBytes?: number
  /** Each commit waits until the disk has it, and so survives a loss of power. */
  syncToDisk?: boolean
  /**
   * Proxy for all connections of this client: `http://host:port` or `socks5://host:port`, with
   * `user:password@` before the host if it wants that.
   */
  proxy?: string
  /** Keep chats, messages and people, so that they can be looked up; `true` if absent. */
  archive?: boolean
  /** How many days messages are kept in the archive; for ever if absent. */
  archiveDays?: number
  /** Ask the phone for all of its history when linking, not only for the last weeks. */
  fullHistory?: boolean
  /** How many days of history to ask the phone for when linking; the phone decides if absent. */
  historyDays?: number
  /**
   * Folder, which exists, where encrypted files lie while they are uploaded; the system's folder
   * for temporary files if absent. Choose one on a disk if that is in memory.
   */
  temporaryFolder?: string
}

/** Options of the event loop. */
export interface EventOptions {
  /** Ends the loop: it rejects with the signal's reason. */
  signal?: AbortSignal
}

/** A file of a message, in memory. */
export interface Download {
  /** Its bytes. */
  data: Buffer
  /** The phone uploaded it again: keep this in place of the reference that was given. */
  moved?: string
}

/** One account, linked or to be linked, with its store. */
export class Client extends Operations {
  readonly #native: NativeClient
  readonly #inbox: Inbox
  readonly #listeners = new Listeners((signal) => this.events({ signal }))
  readonly #temporaryFolder: string | undefined

  private constructor(client: NativeClient, inbox: Inbox, temporaryFolder: string | undefined) {
    super()
    this.#native = client
    this.#inbox = inbox
    this.#temporaryFolder = temporaryFolder
  }

  /**
   * Opens the client whose store is the file at `path`, making a new one if there is none. The
   * path `:memory:` stands for a store that ends with the client.
   */
  static async open(path: string, options: ClientOptions = {}): Promise<Client> {
    const { engine = sharedEngine(), ...rest } = options
    // The bell must not keep a client that nobody has any more.
    let listener: WeakRef<Inbox> | undefined
    const bell = (): void => listener?.deref()?.wake()
    const client = await settled(native(() => nativeOf(engine).open(path, JSON.stringify(rest), bell)))
    const inbox = new Inbox(client, rest.manualAcknowledge === true)
    listener = new WeakRef(inbox)
    return new Client(client, inbox, rest.temporaryFolder)
  }

  /** Runs an operation by name; the answer is decoded JSON. The other methods are this one with types. */
  async request<T = unknown>(operation: string, request: object = {}, options: CallOptions = {}): Promise<T> {
    const started = (): NativeCall => this.#native.call(operation, JSON.stringify(request), options.timeoutMs)
    return JSON.parse(await this.#run(started, options)) as T
  }

  /**
   * Encrypts bytes and uploads them, as `uploadMedia` does with a file. Those in memory are copied
   * before this returns. A stream goes through a file in the folder for temporary files, which this
   * user alone can read and which is removed, because what goes up is read more than once.
   *
   *     const { reference } = await client.upload(jpeg, { kind: 'image' })
   *     const { reference } = await client.upload(response.body, { kind: 'video' })
   */
  async upload(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    request: Omit<UploadMedia, 'path'>,
    options: CallOptions = {},
  ): Promise<UploadedMedia> {
    if (!(source instanceof Uint8Array)) {
      return spooled(source, this.#temporaryFolder, options.signal, (path) =>
        this.uploadMedia({ ...request, path }, options),
      )
    }
    const started = (): NativeCall => this.#native.upload(source, JSON.stringify(request), options.timeoutMs)
    return JSON.parse(await this.#run(started, options)) as UploadedMedia
  }

  /**
   * Downloads the file of a message into memory, decrypts it, and checks that it is the one that was
   * sent, as `downloadMedia` does into a file.
   *
   *     const { data } = await client.download({ reference })
   */
  async download(request: Omit<DownloadMedia, 'path'>, options: CallOptions = {}): Promise<Download> {
    const started = (): NativeCall<Download> => this.#native.download(JSON.stringify(request), options.timeoutMs)
    return this.#run(started, options)
  }

  /**
   * Downloads the file of a message as a stream. It goes through a file in the folder for temporary
   * files, because nothing is given out before all of it was checked. Read it to its end, or destroy it.
   *
   *     const { stream } = await client.downloadStream({ reference })
   *     await pipeline(stream, response)
   */
  async downloadStream(request: Omit<DownloadMedia, 'path'>, options: CallOptions = {}): Promise<DownloadStream> {
    return streamed(this.#temporaryFolder, (path) => this.downloadMedia({ ...request, path }, options))
  }

  async #run<T>(start: () => NativeCall<T>, { signal }: CallOptions): Promise<T> {
    signal?.throwIfAborted()
    const { id, promise } = native(start)
    const cancel = (): void => this.#native.cancel(id)
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      return await promise
    } catch (thrown) {
      const error = fromNative(thrown)
      throw signal?.aborted && error.code === Code.Cancelled ? signal.reason : error
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  /**
   * The events of this client, in order, for one loop at a time. Waiting for them does not keep
   * the process alive; see `ref`. The last one is `closed`.
   */
  events(options: EventOptions = {}): AsyncIterableIterator<ClientEvent, undefined> {
    return new EventIterator(this.#inbox, options.signal)
  }

  /**
   * Calls a function for each event of a kind, or of every kind for `event`. Listeners are called in
   * the order in which they were added, one after the other, each being waited for; the next event is
   * taken after that. They take the place of a loop over `events`, and like it do not keep the process
   * alive; see `ref`.
   *
   * What a listener throws goes to the listeners of `error`, and the next event is taken. Without any it
   * is an uncaught exception.
   *
   *     client.on('message', async (message) => {
   *       if (message.text === 'ping') await client.sendText({ chat: message.chat, text: 'pong' })
   *     })
   */
  on<K extends ListenerName>(kind: K, listener: Listener<K>): this {
    this.#listeners.add(kind, listener, false)
    return this
  }

  /** The same for the next such event only. */
  once<K extends ListenerName>(kind: K, listener: Listener<K>): this {
    this.#listeners.add(kind, listener, true)
    return this
  }

  /** Takes a listener away. When there is none left, events wait again. */
  off<K extends ListenerName>(kind: K, listener: Listener<K>): this {
    this.#listeners.remove(kind, listener)
    return this
  }

  /** The whole content of a message event as protobuf; `undefined` for other events. */
  raw(event: ClientEvent): Buffer | undefined {
    return this.#inbox.raw(event)
  }

  /**
   * Acknowledges all journaled events up to a sequence number: they are not offered again. For
   * clients that were opened with `manualAcknowledge`.
   */
  acknowledge(sequence: number): void {
    native(() => this.#native.acknowledge(sequence))
  }

  /** Lets this client's events keep the process alive, until `unref` or `close`. */
  ref(): this {
    this.#inbox.reference(true)
    return this
  }

  /** Takes `ref` back. */
  unref(): this {
    this.#inbox.reference(false)
    return this
  }

  override async export(request: Export, options?: CallOptions): Promise<void> {
    await super.export(request, options)
    // It has closed the client.
    if (request.keep !== true) this.#inbox.closing()
  }

  /**
   * Closes: refuses new calls, finishes the running ones, writes what is owed, disconnects, and
   * ends the event loop. The store can be opened again afterwards.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const closed = settled(native(() => this.#native.close(options.timeoutMs)))
    this.#inbox.closing()
    await closed
  }

  /** Closes it at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
