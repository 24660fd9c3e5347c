/** @file The one class of errors. */

import { Code } from './codes.js'
import type { Category, CodeName } from './codes.js'

/**
 * What happened to the request of a failed call: nothing left this process (`not_sent`:
 * repeating is safe), it may have arrived (`unknown`: repeat only with the same message id), or
 * the service refused it (`refused`).
 */
export type Outcome = 'not_sent' | 'unknown' | 'refused'

/** An error as the addon writes it. */
interface ErrorJson {
  code: Code
  name: CodeName
  category: Category
  message: string
  operation?: string
  serviceStatus: number
  retryAfterMs?: number
  outcome: Outcome
  causes: string[]
}

/** Why a call failed. `name` tells the coarse kind, `code` the exact one. */
export class WhimbrelError extends Error {
  /** `UsageError`, `NetworkError`, `AccountError`, …: the category. */
  override readonly name: string
  /** Stable number; compare it with the members of `Code`. */
  readonly code: Code
  /** Stable name, such as `TIMED_OUT`. */
  readonly codeName: CodeName
  /** Coarse kind. */
  readonly category: Category
  /** The operation that failed, if it was called by name. */
  readonly operation: string | undefined
  /** The number that the service answered with, 0 if it did not. */
  readonly serviceStatus: number
  /** After how many milliseconds a repetition makes sense. */
  readonly retryAfterMs: number | undefined
  /** Whether repeating the call may do its work twice. */
  readonly outcome: Outcome

  /** @internal Errors are made by the engine. */
  constructor(json: ErrorJson) {
    super(json.message)
    this.name = `${json.category.charAt(0).toUpperCase()}${json.category.slice(1)}Error`
    this.code = json.code
    this.codeName = json.name
    this.category = json.category
    this.operation = json.operation
    this.serviceStatus = json.serviceStatus
    this.retryAfterMs = json.retryAfterMs
    this.outcome = json.outcome
    const cause = chain(json.causes)
    if (cause) this.cause = cause
  }
}

/** Errors that each have the next one as their cause. */
function chain(messages: string[]): Error | undefined {
  return messages.reduceRight<Error | undefined>(
    (cause, message) => new Error(message, cause && { cause }),
    undefined,
  )
}

/** The error of a value that the addon threw or rejected with. */
export function fromNative(thrown: unknown): WhimbrelError {
  const text = thrown instanceof Error ? thrown.message : String(thrown)
  const status = (thrown as { code?: unknown } | undefined)?.code
  if (text.startsWith('{')) {
    try {
      return new WhimbrelError(JSON.parse(text) as ErrorJson)
    } catch {
      // A bug of ours: it is shown as it is below.
    }
  }
  // Node-API's own refusals, for programs that go around the types; and panics.
  const usage = typeof status === 'string' && (status.endsWith('Expected') || status === 'InvalidArg')
  return new WhimbrelError({
    code: usage ? Code.InvalidArgument : Code.Internal,
    name: usage ? 'INVALID_ARGUMENT' : 'INTERNAL',
    category: usage ? 'usage' : 'internal',
    message: usage ? 'an argument has the wrong type' : 'the addon failed',
    serviceStatus: 0,
    outcome: usage ? 'not_sent' : 'unknown',
    causes: [text],
  })
}

/** Runs a call into the addon. */
export function native<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw fromNative(error)
  }
}

/** Waits for the addon. */
export async function settled<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (error) {
    throw fromNative(error)
  }
}
