// Small files of every family, put together by hand.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'

const u16 = (number) => Buffer.from([number & 255, number >> 8])
const u32 = (number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(number)
  return bytes
}
const be32 = (...numbers) => Buffer.concat(numbers.map((number) => u32(number).reverse()))

/** As `crc32` of newer versions' `node:zlib`. */
function crc32(bytes) {
  let rest = ~0
  for (const byte of bytes) {
    rest ^= byte
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0)
  }
  return ~rest >>> 0
}

/** A white picture. */
export function png(width = 40, height = 30) {
  const chunk = (kind, data) => {
    const named = Buffer.concat([Buffer.from(kind), data])
    return Buffer.concat([be32(data.length), named, be32(crc32(named))])
  }
  const rows = Buffer.alloc((width + 1) * height, 255)
  for (let row = 0; row < height; row++) rows[row * (width + 1)] = 0
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', Buffer.concat([be32(width, height), Buffer.from([8, 0, 0, 0, 0])])),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

/** The index of an MP4, and a little content. */
export function film(width = 640, height = 360, milliseconds = 2500) {
  const box = (name, ...parts) => {
    const content = Buffer.concat(parts)
    return Buffer.concat([be32(content.length + 8), Buffer.from(name), content])
  }
  const matrix = be32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
  const times = Buffer.concat([Buffer.alloc(12), be32(1000, milliseconds)])
  const mdia = box(
    'mdia',
    box('mdhd', times, Buffer.alloc(4)),
    box('hdlr', Buffer.alloc(8), Buffer.from('vide'), Buffer.alloc(13)),
  )
  const tkhd = box('tkhd', Buffer.alloc(40), matrix, be32(width * 65_536, height * 65_536))
  return Buffer.concat([
    box('ftyp', Buffer.from('isom\0\0\0\0isom')),
    box('moov', box('mvhd', times, Buffer.alloc(80)), box('trak', tkhd, mdia)),
    box('mdat', Buffer.alloc(99, 7)),
  ])
}

/** Opus in Ogg, mono. */
export function voice(seconds = 2) {
  const page = (granule, packet) => {
    const lacing = Buffer.alloc(Math.floor(packet.length / 255) + 1, 255)
    lacing[lacing.length - 1] = packet.length % 255
    const head = [Buffer.from('OggS\0\0'), u32(granule), u32(0), u32(5), Buffer.alloc(8)]
    return Buffer.concat([...head, Buffer.from([lacing.length]), lacing, packet])
  }
  const skipped = 312
  const head = Buffer.concat([Buffer.from('OpusHead\x01\x01'), u16(skipped), u32(48_000), Buffer.alloc(3)])
  return Buffer.concat([
    page(0, head),
    page(0, Buffer.from('OpusTags')),
    page(960, Buffer.alloc(600, 8)),
    page(seconds * 48_000 + skipped, Buffer.alloc(9, 8)),
  ])
}

/** A lossless WebP, up to its picture. */
export function sticker(width = 512, height = 300) {
  const bits = (width - 1) | ((height - 1) << 14) | (1 << 28)
  const picture = Buffer.concat([Buffer.from([0x2f]), u32(bits), Buffer.from([1, 2, 3])])
  const chunk = Buffer.concat([Buffer.from('VP8L'), u32(picture.length), picture])
  return Buffer.concat([Buffer.from('RIFF'), u32(chunk.length + 4), Buffer.from('WEBP'), chunk])
}

/** A zip with nothing in it. */
export const pack = () => Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18)])

/** One file of each family, on disk. */
export function write(folder) {
  const contents = {
    picture: ['picture.png', png()],
    film: ['film.mp4', film()],
    voice: ['voice.ogg', voice()],
    document: ['notes.txt', Buffer.from('feed the birds')],
    sticker: ['sticker.webp', sticker()],
    pack: ['pack.zip', pack()],
  }
  const paths = {}
  for (const [family, [name, bytes]] of Object.entries(contents)) {
    paths[family] = join(folder, name)
    writeFileSync(paths[family], bytes)
  }
  return paths
}
