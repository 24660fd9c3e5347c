// Baileys' events in the words of the peer protocol.
import { WAMessageStubType, getContentType, jidNormalizedUser, proto } from '@whiskeysockets/baileys';
import { event } from './lines.mjs';
import { plain } from './values.mjs';

const { Status } = proto.WebMessageInfo;
const RECEIPT_OF_STATUS = {
  [Status.SERVER_ACK]: 'sender',
  [Status.DELIVERY_ACK]: 'delivered',
  [Status.READ]: 'read',
  [Status.PLAYED]: 'played',
};
// Receipt types that reach the application as a message status; the others are only seen on the wire.
const RECEIPTS_WITH_STATUS = new Set([undefined, 'sender', 'read', 'read-self', 'played']);
// Events with a form of their own in the protocol, and what only the credentials are for.
const TOLD_OTHERWISE = new Set(['creds.update', 'messages.upsert', 'messaging-history.set', 'message-receipt.update']);
const KEPT_STANZAS = 512;

/** Reports what happens on the socket, apart from its connection state. */
export function reportEvents(sock) {
  const stanzas = rememberStanzas(sock);

  sock.ev.process(events => {
    for (const [type, value] of Object.entries(events)) {
      if (!TOLD_OTHERWISE.has(type)) event('told', { type, value: plain(value) ?? null });
    }
  });

  sock.ev.on('messages.upsert', ({ messages }) => {
    for (const message of messages) reportMessage(sock, message, stanzas.get(message.key.id) ?? {});
  });
  sock.ev.on('messages.update', updates => {
    for (const { key, update } of updates) {
      const type = RECEIPT_OF_STATUS[update.status];
      if (type !== undefined) reportReceipt([key.id], key.remoteJid, key.participant ?? key.remoteJid, type);
    }
  });
  sock.ev.on('message-receipt.update', updates => {
    for (const { key, receipt } of updates) {
      reportReceipt([key.id], key.remoteJid, receipt.userJid, receipt.readTimestamp ? 'read' : 'delivered');
    }
  });
  sock.ws.on('CB:receipt', ({ attrs }) => {
    if (RECEIPTS_WITH_STATUS.has(attrs.type)) return;
    reportReceipt([attrs.id], attrs.from, attrs.participant ?? attrs.from, attrs.type);
  });
  sock.ev.on('messaging-history.set', ({ chats, contacts, messages, syncType }) => {
    event('history', {
      syncType: syncType ?? null,
      chats: chats.length,
      messages: messages.length,
      names: Object.fromEntries(chats.filter(chat => chat.name).map(({ id, name }) => [id, name])),
      people: Object.fromEntries(contacts.filter(one => one.notify).map(({ id, notify }) => [id, notify])),
      texts: messages.map(({ key, message }) => ({
        chat: key.remoteJid,
        id: key.id,
        fromMe: key.fromMe ?? false,
        text: message?.conversation || message?.extendedTextMessage?.text || null,
      })),
    });
  });
  sock.ev.on('groups.upsert', groups => {
    for (const { id, participants } of groups) reportGroup(id, 'create', participants);
  });
  sock.ev.on('group-participants.update', ({ id, action, participants }) => reportGroup(id, action, participants));
  sock.ev.on('presence.update', ({ id, presences }) => {
    for (const [sender, { lastKnownPresence }] of Object.entries(presences)) {
      event('presence', { sender, chat: id, state: lastKnownPresence });
    }
  });
}

// The key of a message names users; the stanza says which device sent it.
function rememberStanzas(sock) {
  const stanzas = new Map();
  sock.ws.on('CB:message', ({ attrs }) => {
    stanzas.delete(attrs.id);
    stanzas.set(attrs.id, attrs);
    if (stanzas.size > KEPT_STANZAS) stanzas.delete(stanzas.keys().next().value);
  });
  return stanzas;
}

function reportMessage(sock, message, attrs) {
  const { key } = message;
  const sender = attrs.participant ?? attrs.from ?? key.participant ?? (key.fromMe ? sock.user.id : key.remoteJid);
  const common = { id: key.id, chat: key.remoteJid, sender };
  if (message.messageStubType === WAMessageStubType.CIPHERTEXT) {
    event('undecryptable', { ...common, reason: message.messageStubParameters?.[0] ?? '' });
    return;
  }
  const content = getContentType(message.message ?? undefined) ?? '';
  const context = message.message?.[content]?.contextInfo;
  event('message', {
    ...common,
    fromMe: key.fromMe === true,
    text: message.message?.conversation || message.message?.extendedTextMessage?.text || null,
    content,
    timestamp: Number(message.messageTimestamp ?? 0),
    pushName: message.pushName ?? null,
    quotedId: context?.stanzaId || null,
    attrs,
    raw: Buffer.from(proto.Message.encode(message.message ?? {}).finish()).toString('hex'),
  });
}

function reportGroup(chat, change, participants) {
  event('group', { chat, change, members: participants.map(({ id }) => id) });
}

function reportReceipt(ids, chat, sender, type) {
  event('receipt', { ids, chat: jidNormalizedUser(chat), sender, type });
}
