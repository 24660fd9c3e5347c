// What this device has sent, kept beside its credentials: an application must be able to answer a retry receipt,
// also after a restart.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { proto } from '@whiskeysockets/baileys';

export class SentMessages {
  #path;
  #byId = new Map();

  constructor(store) {
    this.#path = join(store, 'sent-messages.jsonl');
    if (!existsSync(this.#path)) return;
    for (const line of readFileSync(this.#path, 'utf8').split('\n')) {
      if (line === '') continue;
      const { id, message } = JSON.parse(line);
      this.#byId.set(id, Buffer.from(message, 'base64'));
    }
  }

  /** Remembers a message under its id. */
  add(id, message) {
    const bytes = Buffer.from(proto.Message.encode(message).finish());
    this.#byId.set(id, bytes);
    appendFileSync(this.#path, JSON.stringify({ id, message: bytes.toString('base64') }) + '\n');
  }

  /** The message of that id, as Baileys' option `getMessage` wants it. */
  get(id) {
    const bytes = this.#byId.get(id);
    return bytes && proto.Message.decode(bytes);
  }
}
