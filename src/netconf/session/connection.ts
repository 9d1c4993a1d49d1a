import type { Duplex } from 'node:stream';
import type { Framing } from '../framing/framing.ts';

/** What comes next on a connection. */
export type Incoming =
  | { readonly kind: 'message'; readonly message: Buffer }
  /** The client sends no more, has gone, or the session has to end. */
  | { readonly kind: 'end' }
  | { readonly kind: 'timeout' };

/** Messages in both directions. Nothing is read of the client while nobody waits for a message. */
export interface Connection {
  /**
   * @param milliseconds in which the whole message has to come; 0 for ever
   * @throws FramingError
   */
  next(milliseconds: number): Promise<Incoming>;
  /** Changes how the next message is framed. */
  frameBy(framing: Framing): void;
  /** Writes bytes; fulfilled once the connection takes more, or none any more. */
  send(bytes: Buffer): Promise<void>;
  /**
   * Ends our side, and the connection once the client has ended its own.
   * @param milliseconds in which the client has to do so
   */
  close(milliseconds: number): Promise<void>;
}

const nothing = Buffer.alloc(0);

/** Bytes that are written at once: how far a client has read is told by whole writes. */
const writtenBytes = 65_536;

/**
 * It is long because its functions share the state of one connection.
 * @param signal when it aborts nothing is read or written any more, but the end
 */
export function connectionOn(stream: Duplex, signal: AbortSignal, framing: Framing): Connection {
  let framedBy = framing;
  let rest: Buffer = nothing;
  let wake = () => {};
  const onChange = () => wake();
  // What has been asked is answered although the client has nothing more to ask
  stream.allowHalfOpen = true;
  for (const event of ['readable', 'end', 'drain', 'error', 'close']) stream.on(event, onChange);
  signal.addEventListener('abort', onChange);

  const isOver = () => signal.aborted || stream.destroyed;
  const changed = () =>
    new Promise<void>((resolve) => {
      wake = resolve;
    });

  const take = (): Buffer | undefined => {
    while (rest.length > 0) {
      const taken = framedBy.take(rest);
      rest = taken.rest;
      if (taken.message) return taken.message;
    }
    return undefined;
  };

  return {
    async next(milliseconds) {
      let isLate = false;
      const late = () => {
        isLate = true;
        wake();
      };
      const timer = milliseconds > 0 ? setTimeout(late, milliseconds) : undefined;
      try {
        while (!isOver()) {
          const message = take();
          if (message) return { kind: 'message', message };
          const bytes: Buffer | null = stream.read();
          if (bytes) rest = bytes;
          else if (stream.readableEnded) break;
          else if (isLate) return { kind: 'timeout' };
          else await changed();
        }
        return { kind: 'end' };
      } finally {
        clearTimeout(timer);
      }
    },
    frameBy(framing) {
      framedBy = framing;
    },
    async send(bytes) {
      for (let at = 0; at < bytes.length; at += writtenBytes) {
        while (!isOver() && stream.writableNeedDrain) await changed();
        if (isOver()) return;
        stream.write(bytes.subarray(at, at + writtenBytes));
      }
    },
    close(milliseconds) {
      signal.removeEventListener('abort', onChange);
      return new Promise((resolve) => {
        if (stream.closed) return resolve();
        const timer = setTimeout(() => stream.destroy(), milliseconds);
        stream.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
        stream.end();
        // What the client has sent since is read, for a reset would take our last answer from it
        stream.off('readable', onChange).resume();
      });
    },
  };
}
