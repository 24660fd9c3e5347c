// A worker thread with a client, which ends in the way that the main thread wants.

import { readFileSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

import { Client, Engine, sandboxEndpoint } from 'whimbrel'

const engine = new Engine({ endpoint: sandboxEndpoint(readFileSync(workerData.readyFile, 'utf8')) })
const client = await Client.open(workerData.store, { engine, manualAcknowledge: true })
let pending
const loop = async () => {
  for await (const event of client.events()) {
    if (event.kind !== 'message') continue
    pending ??= client.sendText({ chat: event.chat, text: 'from a worker' }).catch(() => {})
    parentPort.postMessage(event.text)
    if (workerData.end === 'exit') process.exit(0)
  }
}
if (workerData.end !== 'fall off') client.ref()
void loop()
