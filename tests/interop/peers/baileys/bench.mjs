// Baileys' numbers for the benchmark table: the same operations as tests/bench/src/main.rs, one
// JSON object a line, nanoseconds per call (median of many rounds).
import { createRequire } from 'node:module'
import { randomBytes } from 'node:crypto'
import { aesEncryptGCM, decodeBinaryNode, encodeBinaryNode } from '@whiskeysockets/baileys'
import {
  GroupCipher,
  GroupSessionBuilder,
  SenderKeyDistributionMessage,
  SenderKeyName,
  SenderKeyRecord,
} from './node_modules/@whiskeysockets/baileys/lib/Signal/Group/index.js'

const signal = createRequire(import.meta.url)('libsignal')
// The library tells the console about every session; that is not what is measured.
for (const level of ['log', 'info', 'warn', 'error', 'debug']) console[level] = () => {}

const ROUNDS = 31
const TEXT = Buffer.alloc(64, 0x41)

/** Median time of one call; `prepare` runs outside of the clock and its value goes to `call`. */
async function time(name, calls, call, prepare = () => undefined) {
  const times = []
  for (let round = 0; round < ROUNDS + 3; round++) {
    const inputs = []
    for (let index = 0; index < calls; index++) inputs.push(await prepare())
    const start = process.hrtime.bigint()
    for (const input of inputs) await call(input)
    times.push(Number(process.hrtime.bigint() - start) / calls)
  }
  // The first rounds warm the just-in-time compiler.
  const sorted = times.slice(3).sort((a, b) => a - b)
  process.stdout.write(JSON.stringify({ name, baileys: sorted[Math.floor(sorted.length / 2)] }) + '\n')
}

/** Keys and stores of a device, in memory. Records stay live objects: Baileys' fastest case. */
function device() {
  const pair = () => signal.curve.generateKeyPair()
  const [identity, signed, oneTime] = [pair(), pair(), pair()]
  const sessions = new Map()
  const senderKeys = new Map()
  return {
    identity,
    bundle: {
      registrationId: 7,
      identityKey: identity.pubKey,
      signedPreKey: {
        keyId: 1,
        publicKey: signed.pubKey,
        signature: signal.curve.calculateSignature(identity.privKey, signed.pubKey),
      },
      preKey: { keyId: 9, publicKey: oneTime.pubKey },
    },
    store: {
      loadSession: async (address) => sessions.get(address),
      storeSession: async (address, record) => void sessions.set(address, record),
      isTrustedIdentity: () => true,
      getOurIdentity: () => identity,
      getOurRegistrationId: () => 7,
      loadPreKey: async () => oneTime,
      removePreKey: async () => undefined,
      loadSignedPreKey: async () => signed,
    },
    senderKeys: {
      loadSenderKey: async (name) => senderKeys.get(name.toString()) ?? new SenderKeyRecord(),
      storeSenderKey: async (name, record) => void senderKeys.set(name.toString(), record),
    },
  }
}

const [ana, ben] = [device(), device()]
const address = new signal.ProtocolAddress('peer', 1)
const cipherOf = (owner) => new signal.SessionCipher(owner.store, address)
await new signal.SessionBuilder(ana.store, address).initOutgoing(ben.bundle)
const first = await cipherOf(ana).encrypt(TEXT)
await cipherOf(ben).decryptPreKeyWhisperMessage(Buffer.from(first.body, 'binary'))
const answer = await cipherOf(ben).encrypt(TEXT)
await cipherOf(ana).decryptWhisperMessage(Buffer.from(answer.body, 'binary'))

await time('warm_decrypt', 100, (message) => cipherOf(ben).decryptWhisperMessage(message), async () =>
  Buffer.from((await cipherOf(ana).encrypt(TEXT)).body, 'binary'),
)
await time('warm_encrypt', 100, () => cipherOf(ana).encrypt(TEXT))
await time(
  'session_from_bundle',
  5,
  (owner) => new signal.SessionBuilder(owner.store, address).initOutgoing(ben.bundle),
  () => device(),
)

const name = new SenderKeyName('1203630@g.us', address)
const shared = await new GroupSessionBuilder(ana.senderKeys).create(name)
await new GroupSessionBuilder(ben.senderKeys).process(
  name,
  new SenderKeyDistributionMessage(null, null, null, null, shared.serialize()),
)
await time('sender_key_encrypt', 5, () => new GroupCipher(ana.senderKeys, name).encrypt(TEXT))
const [cara, dana] = [device(), device()]
const other = await new GroupSessionBuilder(cara.senderKeys).create(name)
await new GroupSessionBuilder(dana.senderKeys).process(
  name,
  new SenderKeyDistributionMessage(null, null, null, null, other.serialize()),
)
await time(
  'sender_key_decrypt',
  5,
  (message) => new GroupCipher(dana.senderKeys, name).decrypt(message),
  () => new GroupCipher(cara.senderKeys, name).encrypt(TEXT),
)

const node = {
  tag: 'ack',
  attrs: { from: '15550001000@s.whatsapp.net', id: '3EB0A1B2C3D4E5F60718', class: 'message', t: '1795168800' },
}
const bytes = Buffer.from(encodeBinaryNode(node))
await time('node_encode', 2000, () => encodeBinaryNode(node))
await time('node_decode', 2000, () => decodeBinaryNode(bytes))

const [key, nonce, none] = [randomBytes(32), randomBytes(12), Buffer.alloc(0)]
for (const [label, size, calls] of [['frame_1500', 1500, 500], ['frame_64k', 65536, 50]]) {
  const frame = randomBytes(size)
  await time(label, calls, () => aesEncryptGCM(frame, key, nonce, none))
}
process.exit(0)
