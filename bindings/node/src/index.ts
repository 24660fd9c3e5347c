/** @file What the package offers. */

import { native } from './errors.js'
import { addon } from './native.js'

export { Client } from './client.js'
export type { ClientOptions, Download, EventOptions } from './client.js'
export { Code } from './codes.js'
export type { Category, CodeName } from './codes.js'
export { Engine, sandboxEndpoint } from './engine.js'
export type { CloseOptions, Endpoint, EngineOptions, ImportReport, ImportSource } from './engine.js'
export { WhimbrelError } from './errors.js'
export type { Outcome } from './errors.js'
export type * from './events.js'
export type { EventOf, Listener, ListenerName } from './listeners.js'
export type { CallOptions } from './operations.js'
export type { DownloadStream } from './streams.js'
export type * from './types.js'

/** The version of the engine. */
export const version: string = addon.version()

/** Draws a QR text with half blocks, for a terminal with light text on a dark ground. */
export function drawQr(text: string): string {
  return native(() => addon.drawQr(text))
}
