// Keeps every connection of this process on the loopback interface.
import { Agent, setGlobalDispatcher } from 'undici';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]', '::1']);

/** Throws unless the URL names this machine. */
export function requireLoopback(url) {
  if (!LOOPBACK.has(new URL(url).hostname)) throw new Error(`not a loopback address: ${url}`);
}

/**
 * Sends what the client fetches from other hosts to the origin `media` instead: Baileys downloads history and app-state
 * blobs from a fixed host name. Without `media` such requests fail.
 */
export function confineFetch(media) {
  if (media !== undefined) requireLoopback(media);
  const confine = dispatch => (options, handler) => {
    const origin = new URL(options.origin);
    if (LOOPBACK.has(origin.hostname)) return dispatch(options, handler);
    if (media === undefined) throw new Error(`request to ${origin.hostname} without a media origin`);
    return dispatch({ ...options, origin: new URL(media).origin }, handler);
  };
  setGlobalDispatcher(new Agent().compose(confine));
}
