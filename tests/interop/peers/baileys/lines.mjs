// Line-wise JSON on standard input and output.
import { createInterface } from 'node:readline';

function write(object) {
  process.stdout.write(JSON.stringify(object) + '\n');
}

/** Reports something that happened. */
export function event(name, fields = {}) {
  write({ event: name, ...fields });
}

/**
 * Reads commands until the input ends and answers each with what its handler returns.
 * @param {Record<string, (args: object) => Promise<object | void>>} handlers
 */
export async function serve(handlers) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue;
    const { id, cmd, args = {} } = JSON.parse(line);
    // Not awaited: a slow command must not hold up the next one.
    void answer(handlers, id, cmd, args);
  }
}

async function answer(handlers, id, cmd, args) {
  try {
    if (!Object.hasOwn(handlers, cmd)) throw new Error(`unknown command ${cmd}`);
    write({ id, ok: (await handlers[cmd](args)) ?? {} });
  } catch (error) {
    write({ id, error: error?.message ?? String(error) });
  }
}
