// Files, as the library itself brings them up and down; hashes and keys are hex in the peer protocol.
import { createWriteStream } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { downloadContentFromMessage, encryptedStream } from '@whiskeysockets/baileys';

const UPLOAD_DEADLINE_MS = 30_000;
// Where the library uploads what it has no place of its own for.
const PLACES = { gif: 'video', ptv: 'video', ptt: 'audio' };

export async function upload(sock, { kind, path }) {
  const made = await encryptedStream({ url: path }, kind);
  const { mediaUrl, directPath } = await sock.waUploadToServer(made.encFilePath, {
    mediaType: PLACES[kind] ?? kind,
    fileEncSha256B64: made.fileEncSha256.toString('base64'),
    timeoutMs: UPLOAD_DEADLINE_MS,
  }).finally(() => unlink(made.encFilePath));
  return {
    url: mediaUrl,
    directPath,
    mediaKey: made.mediaKey.toString('hex'),
    fileSha256: made.fileSha256.toString('hex'),
    fileEncSha256: made.fileEncSha256.toString('hex'),
    fileLength: made.fileLength,
  };
}

export async function download({ kind, file, path }) {
  const { directPath, url, mediaKey } = file;
  const stream = await downloadContentFromMessage({ directPath, url, mediaKey: Buffer.from(mediaKey, 'hex') }, kind);
  await pipeline(stream, createWriteStream(path));
  return { length: (await stat(path)).size };
}

export async function askAgain(sock, { file, chat, id, fromMe, participant }) {
  const message = {
    key: { remoteJid: chat, id, fromMe, participant },
    message: { imageMessage: { mediaKey: Buffer.from(file.mediaKey, 'hex'), directPath: file.directPath } },
  };
  await sock.updateMediaMessage(message);
  return { directPath: message.message.imageMessage.directPath };
}
