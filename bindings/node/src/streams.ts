/** @file Media as streams, by way of files that go away by themselves. */

import { createWriteStream } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** A file of a message, as a stream. */
export interface DownloadStream {
  /** Its bytes. All of them were checked before the first one is given out. */
  stream: Readable
  /** Its length in bytes. */
  length: number
  /** The phone uploaded it again: keep this in place of the reference that was given. */
  moved?: string
}

/** Runs something with the path of a new file that only this user can read; its folder goes away afterwards. */
async function withFile<T>(folder: string | undefined, use: (path: string) => Promise<T>): Promise<T> {
  const place = await mkdtemp(join(folder ?? tmpdir(), 'whimbrel-'))
  try {
    return await use(join(place, 'file'))
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

/** Writes a stream into a file and uses that. */
export async function spooled<T>(
  source: AsyncIterable<Uint8Array>,
  folder: string | undefined,
  signal: AbortSignal | undefined,
  use: (path: string) => Promise<T>,
): Promise<T> {
  return withFile(folder, async (path) => {
    const options = signal ? { signal } : {}
    await pipeline(source, createWriteStream(path, { mode: 0o600 }), options)
    return use(path)
  })
}

/** Makes a stream of the file that `fill` writes. */
export async function streamed<T extends { length: number; moved: string | null }>(
  folder: string | undefined,
  fill: (path: string) => Promise<T>,
): Promise<DownloadStream> {
  return withFile(folder, async (path) => {
    const { length, moved } = await fill(path)
    // The open file stays readable after its name is gone.
    const file = await open(path)
    const stream = file.createReadStream({ autoClose: true })
    return moved === null ? { stream, length } : { stream, length, moved }
  })
}
