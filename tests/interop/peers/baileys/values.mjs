// Values of Baileys as JSON, and back.

/** What a method or an event gives, as JSON can say it. */
export function plain(value) {
  const text = JSON.stringify(value, (_, part) => {
    if (part instanceof Map) return Object.fromEntries(part);
    if (part instanceof Set) return [...part];
    if (part instanceof Error) return { error: part.message };
    if (typeof part === 'bigint') return Number(part);
    if (part instanceof Uint8Array) return { $base64: Buffer.from(part).toString('base64') };
    if (part?.type === 'Buffer' && Array.isArray(part.data)) return { $base64: Buffer.from(part.data).toString('base64') };
    // 64-bit numbers of its protobuf library.
    if (typeof part?.low === 'number' && typeof part.high === 'number') return part.high * 2 ** 32 + (part.low >>> 0);
    return part;
  });
  return text === undefined ? undefined : JSON.parse(text);
}

/** What a command brings, with its bytes as Baileys takes them. */
export function revived(value) {
  if (Array.isArray(value)) return value.map(revived);
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.$base64 === 'string') return Buffer.from(value.$base64, 'base64');
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, revived(part)]));
}
