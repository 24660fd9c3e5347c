// Baileys behind the peer protocol (see ../PROTOCOL.md).
import { Console } from 'node:console';
import { createRequire } from 'node:module';
import { event, serve } from './lines.mjs';

// Baileys' Signal library writes to the console; standard output belongs to the protocol.
globalThis.console = new Console(process.stderr, process.stderr);
// Nobody listens any more.
process.stdout.on('error', () => process.exit(0));
process.on('unhandledRejection', error => event('fault', { text: error?.stack ?? String(error) }));

const { Device } = await import('./device.mjs');
// Some of its parts write to a logger of their own, on standard output.
const { default: ownLogger } = await import('@whiskeysockets/baileys/lib/Utils/logger.js');
ownLogger.level = 'silent';
const { version } = createRequire(import.meta.url)('@whiskeysockets/baileys/package.json');

let device;

function started() {
  if (!device) throw new Error('not started');
  return device;
}

await serve({
  async start(args) {
    if (device) throw new Error('already started');
    device = await Device.start(args);
  },
  async info() {
    const { jid = null, lid = null, connected = false } = device ?? {};
    return { client: 'baileys', version, jid, lid, connected };
  },
  send_text: async args => started().sendText(args),
  send_raw: async args => started().sendRaw(args),
  send_built: async args => started().sendBuilt(args),
  mark_read: async args => started().markRead(args),
  send_presence: async args => started().sendPresence(args),
  create_group: async args => started().createGroup(args),
  group_info: async args => started().groupInfo(args),
  change_members: async args => started().changeMembers(args),
  leave_group: async args => started().leaveGroup(args),
  upload_media: async args => started().uploadMedia(args),
  download_media: async args => started().downloadMedia(args),
  ask_for_media: async args => started().askForMedia(args),
  forget_session: async args => started().forgetSession(args),
  disconnect: async () => started().disconnect(),
  connect: async () => started().connect(),
  logout: async () => started().logout(),
  call: async args => started().call(args),
  async quit() {
    await device?.disconnect();
    await device?.saved();
    // After the answer has been written.
    setImmediate(() => process.exit(0));
  },
});
process.exit(0);
