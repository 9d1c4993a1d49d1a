import { EventEmitter } from 'node:events';
import { Duplex, type Readable } from 'node:stream';

/**
 * What dbus-next 0.10.2 lacks or does wrong below its message bus, and how we live with it. All of it
 * reaches into private members, for which the version is pinned.
 */

/** The library takes the values of an address as they are, without undoing their %-escapes. */
export function unescaped(address: string): string {
  return address.replace(/(?:%[0-9a-fA-F]{2})+/g, (bytes) =>
    Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

/** The connection below the message bus. */
export function transportOf(library: object): EventEmitter {
  const transport: unknown = Reflect.get(library, '_connection');
  if (transport instanceof EventEmitter) return transport;
  throw new TypeError('dbus-next has no _connection any more');
}

/** The socket of the connection. */
export function streamOf(library: object): Duplex {
  const stream: unknown = Reflect.get(transportOf(library), 'stream');
  if (stream instanceof Duplex) return stream;
  throw new TypeError('dbus-next has no stream any more');
}

/**
 * A message that the library cannot decode, such as one with a file descriptor, throws in its reader and
 * would end the process: every program that may send a signal could stop this program. The reader has consumed the message
 * by then, so the next call of it goes on behind it. When it has not, as with a length that Node cannot
 * read, it never will: the connection is given up.
 */
export function guardReader(stream: Readable): void {
  for (const read of stream.listeners('readable')) {
    stream.off('readable', read as () => void);
    stream.on('readable', () => {
      for (;;) {
        const before = stream.readableLength;
        if (reads(() => Reflect.apply(read, stream, []))) return;
        if (stream.readableLength < before) continue;
        stream.destroy(new Error('a message cannot be read'));
        return;
      }
    });
  }
}

function reads(read: () => void): boolean {
  try {
    read();
    return true;
  } catch {
    return false;
  }
}

/** Gives up the wait for a reply; the library itself would wait for ever. */
export function forgetCall(library: object, serial: unknown): void {
  const handlers: unknown = Reflect.get(library, '_methodReturnHandlers');
  if (typeof handlers === 'object' && handlers !== null) {
    Reflect.deleteProperty(handlers, String(serial));
  }
}
