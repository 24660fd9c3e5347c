/** @file The private addon: finding it, and what it offers. */

import { createRequire } from 'node:module'

/** A call under way. */
export interface NativeCall<T = string> {
  id: number
  promise: Promise<T>
}

/** A file in memory. */
export interface NativeFile {
  data: Buffer
  moved?: string
}

/** Events that were waiting together. */
export interface NativeBatch {
  /** A JSON list of events. */
  json: string
  /** The raw messages of those events that have one, one after the other. */
  raw?: Buffer
  /** Nothing follows. */
  ended: boolean
}

export interface NativeClient {
  call(operation: string, request: string, timeoutMs: number | undefined): NativeCall
  upload(bytes: Uint8Array, request: string, timeoutMs: number | undefined): NativeCall
  download(request: string, timeoutMs: number | undefined): NativeCall<NativeFile>
  cancel(id: number): void
  acknowledge(sequence: number): void
  subscribe(): void
  unsubscribe(): Promise<void>
  drain(): NativeBatch | null
  hold(hold: boolean): void
  close(timeoutMs: number | undefined): Promise<void>
}

export interface NativeEngine {
  open(path: string, options: string, bell: () => void): Promise<NativeClient>
  importLink(request: string): Promise<string>
  close(timeoutMs: number | undefined): Promise<void>
}

interface Addon {
  Engine: new (options: string) => NativeEngine
  version(): string
  drawQr(text: string): string
  /** Ends all engines, and returns when they have ended. */
  end(): void
}

/** The package of this platform's addon. */
function platformPackage(): string {
  const { platform, arch } = process
  if (platform !== 'linux') return `whimbrel-${platform}-${arch}`
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return `whimbrel-linux-${arch}-${report.header?.glibcVersionRuntime ? 'gnu' : 'musl'}`
}

function load(): Addon {
  const require = createRequire(__filename)
  const built = '../whimbrel.node'
  try {
    return require(built) as Addon
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
  }
  const name = platformPackage()
  try {
    return require(name) as Addon
  } catch (cause) {
    throw new Error(`whimbrel has no addon for this platform: neither ${built} nor the package ${name} is installed`, {
      cause,
    })
  }
}

export const addon = load()

// The addon does this itself at every other end of its environment.
process.once('exit', () => addon.end())
