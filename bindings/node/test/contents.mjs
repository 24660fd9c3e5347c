// One of every kind of content, as a program writes it.

const CHANNEL = '120363000000000002@newsletter'
const BUSINESS = '15550009@s.whatsapp.net'
const ZOE = 'BEGIN:VCARD\nVERSION:3.0\nFN:Zoë\nEND:VCARD'
const AL = 'BEGIN:VCARD\nVERSION:3.0\nFN:Al\nEND:VCARD'
const YES = { name: 'quick_reply', paramsJson: '{"display_text":"Yes","id":"y"}', label: 'Yes' }
const message = { messageId: 'M1', chat: CHANNEL }

/** What receivers may not draw, so that a fallback has to be chosen. */
export const BEST_EFFORT = ['interactive', 'carousel', 'list']

/**
 * Everything that may be sent, and what its receiver finds besides. Files go by their paths; `picture`
 * was uploaded before.
 */
export function sendable(files, picture) {
  const image = { width: 40, height: 30, media: { mimetype: 'image/png' } }
  const film = { width: 640, height: 360, seconds: 2, media: { mimetype: 'video/mp4' } }
  const voice = { seconds: 2, media: { mimetype: 'audio/ogg; codecs=opus' } }
  const at = (path) => ({ path })
  return [
    [{ type: 'text', text: '*bold* words 🐦' }],
    [
      {
        type: 'text',
        text: 'see https://example.org',
        link: { url: 'https://example.org', title: 'Example', description: 'About it' },
      },
    ],
    [{ type: 'image', media: at(files.picture), caption: 'a picture' }, image],
    [{ type: 'video', media: at(files.film), caption: 'a video' }, film],
    [{ type: 'gif', media: at(files.film) }, film],
    [{ type: 'video_note', media: at(files.film) }, film],
    [{ type: 'audio', media: at(files.voice) }, voice],
    [{ type: 'voice', media: at(files.voice), waveform: Array(64).fill(50) }, voice],
    [
      { type: 'document', media: { path: files.document, mimetype: 'text/plain' }, caption: 'a document' },
      { media: { mimetype: 'text/plain' }, fileName: 'notes.txt', title: 'notes.txt' },
    ],
    [
      { type: 'sticker', media: at(files.sticker) },
      { width: 512, height: 300, media: { mimetype: 'image/webp' } },
    ],
    [
      {
        type: 'sticker_pack',
        id: 'pack',
        name: 'Birds',
        publisher: 'A friend',
        media: at(files.pack),
        stickers: [{ fileName: 'one.webp', emojis: ['🐦'], mimetype: 'image/webp' }],
        trayIcon: 'one.webp',
      },
      { media: {} },
    ],
    [{ type: 'album', images: 2, videos: 1 }],
    [{ type: 'contact', name: 'Zoë', vcard: ZOE }],
    [{ type: 'contacts', name: '2 contacts', names: ['Zoë', 'Al'], vcards: [ZOE, AL] }],
    [{ type: 'location', latitude: 59.91, longitude: 10.75, name: 'Town hall', address: 'A street' }],
    [{ type: 'live_location', latitude: 59.91, longitude: 10.75, caption: 'here', accuracyMetres: 9 }],
    [
      {
        type: 'group_invite',
        group: '120363000000000001@g.us',
        code: 'AbCd',
        expiresAt: 1_900_000_000,
        name: 'Birds',
      },
    ],
    [{ type: 'channel_admin_invite', channel: CHANNEL, name: 'News', expiresAt: 1_900_000_000 }],
    [{ type: 'channel_follower_invite', channel: CHANNEL, name: 'News' }],
    [{ type: 'request_phone' }],
    [{ type: 'poll', name: 'Lunch?', options: ['Soup', 'Tea'], selectable: 2 }],
    [{ type: 'poll', name: '2 + 2?', options: ['4', '5'], selectable: 1, quiz: true, correct: '4' }],
    [
      {
        type: 'poll_result',
        name: 'Lunch?',
        options: [
          { option: 'Soup', votes: 2 },
          { option: 'Tea', votes: 0 },
        ],
      },
    ],
    [
      {
        type: 'event',
        name: 'Walk',
        startsAt: 1_900_000_000,
        location: { latitude: 59.91, longitude: 10.75, name: 'Town hall' },
        extraGuests: true,
      },
    ],
    [
      {
        type: 'product',
        id: 'P1',
        title: 'Feeder',
        business: BUSINESS,
        currency: 'EUR',
        priceThousandths: 12_500,
        image: picture,
      },
    ],
    [{ type: 'catalog', title: 'All feeders', business: BUSINESS, image: picture }],
    [
      {
        type: 'order',
        id: 'O1',
        token: 'token',
        seller: BUSINESS,
        itemCount: 2,
        message: 'please',
        title: 'Two feeders',
        totalThousandths: 25_000,
        currency: 'EUR',
      },
    ],
    [{ type: 'interactive', body: 'Shall we?', footer: 'soon', buttons: [YES] }],
    [{ type: 'carousel', body: 'Birds', cards: ['A', 'B'].map((body) => ({ body, buttons: [YES] })) }],
    [
      {
        type: 'list',
        description: 'Choose',
        button: 'Open',
        sections: [{ title: 'All', rows: [{ id: 'r1', title: 'One' }] }],
      },
    ],
    [{ type: 'choice', source: 'buttons', id: 'b1', text: 'Yes' }],
    [{ type: 'choice', source: 'template', id: 't1', text: 'Yes', index: 0 }],
    [{ type: 'choice', source: 'list', id: 'r1', text: 'One' }],
    [
      {
        type: 'choice',
        source: 'native_flow',
        id: 'y',
        text: 'Yes',
        flowName: 'quick_reply',
        paramsJson: '{"id":"y"}',
      },
    ],
  ]
}

/** What only phones, businesses and the service send. */
export const ONLY_RECEIVED = [
  { type: 'event_invite', id: 'E1', title: 'Walk' },
  { type: 'invoice', token: 'token', note: 'for two feeders' },
  { type: 'payment', step: 'declined', request: message },
  { type: 'buttons', text: 'Shall we?', buttons: [{ text: 'Yes', id: 'y' }] },
  { type: 'template', text: 'Shall we?', buttons: [{ text: 'Yes', id: 'y' }] },
  { type: 'call_log', video: true, outcome: 'missed' },
  { type: 'call_marker' },
  { type: 'scheduled_call', atMs: 1_900_000_000_000, title: 'Call' },
  { type: 'scheduled_call_cancel', call: message },
  { type: 'broadcast_call', sessionId: 'S1' },
  { type: 'group_history', messageCount: 3 },
  { type: 'group_history_notice', messageCount: 3 },
  { type: 'ai_rich', text: 'an answer' },
  { type: 'music', title: 'Song', author: 'Somebody' },
  { type: 'status_notice', notice: 'answer', text: 'yes' },
  { type: 'question_response', question: message, text: 'because' },
  { type: 'scheduled', keyId: 'K1' },
  { type: 'placeholder' },
  { type: 'unsupported' },
]

/** Fails unless the receiver sees what was sent: all that was said, and how a file is found besides. */
export function same(seen, sent) {
  if (Array.isArray(sent)) return Array.isArray(seen) && seen.length === sent.length && sent.every((one, i) => same(seen[i], one))
  if (typeof sent !== 'object') return seen === sent
  return Object.entries(sent).every(([name, value]) => name === 'reference' || same(seen?.[name], value))
}
