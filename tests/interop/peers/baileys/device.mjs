// The life of one linked device, as an application of Baileys runs it.
import { readdir, rm } from 'node:fs/promises';
import makeWASocket, {
  DisconnectReason,
  WA_CERT_DETAILS,
  generateMessageIDV2,
  proto,
  useMultiFileAuthState,
} from '@whiskeysockets/baileys';
import { pino } from 'pino';
import { reportEvents } from './events.mjs';
import { event } from './lines.mjs';
import { confineFetch, requireLoopback } from './loopback.mjs';
import * as media from './media.mjs';
import { plain, revived } from './values.mjs';
import { SentMessages } from './sent.mjs';

const LOGGED_OUT = DisconnectReason.loggedOut;
// After these an application does not come back by itself: refused, locked, outdated, banned, no multi-device, replaced.
const FINAL = new Set([403, 405, 406, DisconnectReason.multideviceMismatch, DisconnectReason.connectionReplaced]);
const VCARD = 'BEGIN:VCARD\nVERSION:3.0\nFN:Zoë\nEND:VCARD';
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4000;
const ACK_DEADLINE_MS = 30_000;
// As Baileys' own.
const LISTS_EXPIRE_MS = 5 * 60_000;

export class Device {
  #options;
  #auth;
  #sent;
  #sending = new Map();
  #deviceLists;
  #sock;
  #closing;
  #open = false;
  #wanted = true;
  #leaving = false;
  #losses = 0;
  #reconnect;
  #saving = Promise.resolve();

  /** Opens the credentials and begins to connect. */
  static async start({ url, rootKey, rootSerial = 0, store, pair = 'none', phone, media }) {
    requireLoopback(url);
    confineFetch(media);
    const key = Buffer.from(rootKey, 'hex');
    if (key.length !== 32) throw new Error('rootKey is not 32 bytes of hex');
    Object.assign(WA_CERT_DETAILS, { PUBLIC_KEY: key, SERIAL: rootSerial });
    if (pair === 'code' && !phone) throw new Error('pairing by code needs a phone number');

    const device = new Device();
    device.#options = { url, store, pair, phone };
    device.#auth = await useMultiFileAuthState(store);
    if (pair === 'none' && !device.#auth.state.creds.me) throw new Error('not linked, and not told how to pair');
    device.#sent = new SentMessages(store);
    device.#connect();
    return device;
  }

  get jid() {
    return this.#auth.state.creds.me?.id ?? null;
  }

  get lid() {
    return this.#auth.state.creds.me?.lid ?? null;
  }

  get connected() {
    // The library reports a lost connection a little later than it refuses to use it.
    return this.#open && this.#sock.ws.isOpen;
  }

  connect() {
    if (this.#sock) throw new Error('already connected or connecting');
    clearTimeout(this.#reconnect);
    this.#wanted = true;
    this.#losses = 0;
    this.#connect();
  }

  async disconnect() {
    this.#wanted = false;
    clearTimeout(this.#reconnect);
    await this.#sock?.end(undefined);
  }

  async logout() {
    this.#leaving = true;
    this.#wanted = false;
    await this.#live().logout();
  }

  /** Resolves when the credentials are on the disk; a program that ends earlier leaves half a file. */
  async saved() {
    await this.#saving;
  }

  // One write after the other: the client rewrites the file in place.
  #save() {
    this.#saving = this.#saving.then(() => this.#auth.saveCreds());
  }

  async sendText({ to, text, quote, messageId: wanted }) {
    const sock = this.#live();
    const messageId = wanted ?? generateMessageIDV2(sock.user.id);
    const quoted = quote && {
      key: { remoteJid: to, id: quote.id, fromMe: false, participant: quote.sender },
      message: { conversation: quote.text },
    };
    const ack = waitForAck(sock, messageId, this.#closing.signal);
    // A failure to send must not leave the other promise without a handler.
    ack.catch(() => {});
    const sending = sock.sendMessage(to, { text }, { messageId, quoted });
    // A device may ask again for the message before the library says that it is on its way.
    this.#sending.set(messageId, sending.catch(() => undefined));
    // Baileys takes a device that is gone for one that still needs a session, until the list expires.
    const lists = this.#deviceLists;
    sending.catch(() => lists.clear());
    const sent = await sending.finally(() => this.#sending.delete(messageId));
    this.#sent.add(messageId, sent.message);
    const { t, error } = await ack;
    if (error !== undefined) throw new Error(`the service refused the message with ${error}`);
    return { messageId, timestamp: Number(t) };
  }

  /** Sends a message that is made already, as the library relays one. */
  async sendRaw({ to, raw, audience }) {
    const octets = Buffer.from(raw, 'hex');
    const message = proto.Message.decode(octets);
    // Fields of a newer schema are lost on the way.
    if (proto.Message.encode(message).finish().length !== octets.length) throw new Error('not all of it is known');
    return this.#relay(to, message, audience);
  }

  /** Sends what the library's own builders make; a target is a message of the chat. */
  async sendBuilt({ to, kind, target, text }) {
    const key = target && { remoteJid: to, id: target.id, fromMe: target.fromMe, participant: target.sender };
    const content = {
      text: () => ({ text }),
      location: () => ({ location: { degreesLatitude: 59.91, degreesLongitude: 10.75, name: text } }),
      contact: () => ({ contacts: { displayName: text, contacts: [{ displayName: text, vcard: VCARD }] } }),
      poll: () => ({ poll: { name: text, values: ['Soup', 'Tea'], selectableCount: 1 } }),
      event: () => ({ event: { name: text, startDate: new Date(1_900_000_000_000) } }),
      reaction: () => ({ react: { text, key } }),
      edit: () => ({ text, edit: key }),
      revoke: () => ({ delete: key }),
      pin: () => ({ pin: key, type: 1, time: 86_400 }),
    }[kind];
    if (!content) throw new Error(`no builder for ${kind}`);
    const sock = this.#live();
    const messageId = generateMessageIDV2(sock.user.id);
    const ack = waitForAck(sock, messageId, this.#closing.signal);
    ack.catch(() => {});
    const sent = await sock.sendMessage(to, content(), { messageId });
    this.#sent.add(messageId, sent.message);
    return answerOf(messageId, await ack);
  }

  async #relay(to, message, audience) {
    const sock = this.#live();
    const messageId = generateMessageIDV2(sock.user.id);
    this.#sent.add(messageId, message);
    const ack = waitForAck(sock, messageId, this.#closing.signal);
    ack.catch(() => {});
    await sock.relayMessage(to, message, { messageId, statusJidList: audience });
    return answerOf(messageId, await ack);
  }

  async markRead({ chat, ids, sender }) {
    await this.#live().readMessages(ids.map(id => ({ remoteJid: chat, id, participant: sender, fromMe: false })));
  }

  async sendPresence({ state, to }) {
    await this.#live().sendPresenceUpdate(state, to);
  }

  async createGroup({ subject, members }) {
    return { group: (await this.#live().groupCreate(subject, members)).id };
  }

  async groupInfo({ group }) {
    const { subject, addressingMode, participants } = await this.#live().groupMetadata(group);
    return { subject, addressing: addressingMode, members: participants.map(({ id }) => id) };
  }

  async changeMembers({ group, action, members }) {
    const refused = (await this.#live().groupParticipantsUpdate(group, members, action)).filter(({ status }) => status !== '200');
    if (refused.length > 0) throw new Error(refused.map(({ jid, status }) => `${jid}: ${status}`).join(', '));
  }

  async leaveGroup({ group }) {
    await this.#live().groupLeave(group);
  }

  async uploadMedia(args) {
    return media.upload(this.#live(), args);
  }

  async downloadMedia(args) {
    return media.download(args);
  }

  async askForMedia(args) {
    return media.askAgain(this.#live(), args);
  }

  /** Runs any method of the client by its name, so that a story need not wait for a command of its own. */
  async call({ method, arguments: values }) {
    const sock = this.#live();
    if (typeof sock[method] !== 'function') throw new Error(`Baileys has no method ${method}`);
    return { result: plain(await sock[method](...values.map(revived))) ?? null };
  }

  async forgetSession({ with: address }) {
    const name = this.#live().signalRepository.jidToSignalProtocolAddress(address).replace(/\.\d+$/, '');
    const file = new RegExp(`^session-(${name}\\.\\d+)\\.json$`);
    const devices = (await readdir(this.#options.store)).map(entry => file.exec(entry)?.[1]).filter(Boolean);
    await this.#auth.state.keys.set({ session: Object.fromEntries(devices.map(device => [device, null])) });
  }

  #live() {
    if (!this.#sock || !this.#open) throw new Error('not connected');
    return this.#sock;
  }

  #connect() {
    const { url } = this.#options;
    // Baileys keeps one of its own for each socket.
    this.#deviceLists = new DeviceLists();
    const closing = new AbortController();
    const sock = makeWASocket({
      waWebSocketUrl: url,
      auth: { creds: this.#auth.state.creds, keys: lend(this.#auth.state.keys, closing.signal) },
      logger: pino({ level: process.env.PEER_LOG ?? 'warn' }, pino.destination(2)),
      // The test knows what it sent.
      emitOwnEvents: false,
      userDevicesCache: this.#deviceLists,
      getMessage: async ({ id }) => (await this.#sending.get(id))?.message ?? this.#sent.get(id),
    });
    this.#sock = sock;
    this.#closing = closing;
    sock.ev.on('creds.update', () => this.#save());
    sock.ev.on('connection.update', update => this.#onConnection(sock, update));
    reportEvents(sock);
  }

  #onConnection(sock, { connection, lastDisconnect, isNewLogin, qr, receivedPendingNotifications }) {
    if (qr !== undefined) {
      event('qr', { text: qr });
      if (this.#options.pair === 'code') void this.#askForCode(sock);
    }
    if (isNewLogin) event('linked', { jid: this.jid, lid: this.lid });
    if (connection === 'open') {
      this.#open = true;
      this.#losses = 0;
      event('connected', { jid: this.jid, lid: this.lid });
    }
    if (receivedPendingNotifications) event('caught_up', { count: null });
    if (connection === 'close') void this.#onClose(lastDisconnect?.error);
  }

  // Only once the service has sent its first code, and once per socket: the request is refused before.
  async #askForCode(sock) {
    if (sock.askedForCode) return;
    sock.askedForCode = true;
    try {
      event('pairing_code', { code: await sock.requestPairingCode(this.#options.phone) });
    } catch (error) {
      event('pairing_failed', { reason: error.message });
    }
  }

  async #onClose(error) {
    this.#closing.abort();
    this.#sock = undefined;
    this.#open = false;
    const code = error?.output?.statusCode ?? null;
    if (code === LOGGED_OUT) {
      const reason = this.#leaving ? 'self' : error.message;
      await this.#saving;
      await rm(this.#options.store, { recursive: true, force: true, maxRetries: 5 });
      event('logged_out', { code, reason });
      return;
    }
    const willReconnect = this.#wanted && !FINAL.has(code);
    event('disconnected', { code, reason: error?.message ?? 'closed by us', willReconnect });
    if (willReconnect) this.#reconnect = setTimeout(() => this.#connect(), this.#pause(code));
  }

  #pause(code) {
    if (code === DisconnectReason.restartRequired) return 0;
    return Math.min(FIRST_PAUSE_MS * 2 ** this.#losses++, LONGEST_PAUSE_MS);
  }
}

/**
 * Keys that a socket can use until it is closed. A closed socket of Baileys goes on with the messages that it
 * still holds: it decrypts them, fails to confirm them and shows none. Its locks are not those of the next
 * socket, so the two spoil each other's sessions. The service delivers everything again.
 */
function lend(keys, closed) {
  const held = method => async (...args) => {
    if (closed.aborted) throw new Error('the socket that used these keys is closed');
    return keys[method](...args);
  };
  return { get: held('get'), set: held('set') };
}

/** Whose devices are which, in memory as Baileys would keep it; but it can be forgotten. */
class DeviceLists {
  #byUser = new Map();

  get(user) {
    const { devices, until } = this.#byUser.get(user) ?? {};
    return until > Date.now() ? devices : undefined;
  }

  set(user, devices) {
    this.#byUser.set(user, { devices, until: Date.now() + LISTS_EXPIRE_MS });
  }

  del(user) {
    this.#byUser.delete(user);
  }

  clear() {
    this.#byUser.clear();
  }

  flushAll() {
    this.clear();
  }
}

function answerOf(messageId, { t, error }) {
  if (error !== undefined) throw new Error(`the service refused the message with ${error}`);
  return { messageId, timestamp: Number(t) };
}

// Baileys' own promise is kept when the stanza has left; the service's ack is what a test waits for.
function waitForAck(sock, messageId, closing) {
  return new Promise((resolve, reject) => {
    const giveUp = AbortSignal.any([closing, AbortSignal.timeout(ACK_DEADLINE_MS)]);
    const onAck = ({ attrs }) => {
      if (attrs.id !== messageId) return;
      sock.ws.off('CB:ack,class:message', onAck);
      resolve(attrs);
    };
    sock.ws.on('CB:ack,class:message', onAck);
    giveUp.addEventListener('abort', () => reject(new Error('no ack from the service')), { once: true });
  });
}
