import { Writable } from 'node:stream';

/**
 * Takes whole lines to a stream whose reader may be slow, stuck or gone. A service must not end with the
 * reader of its log, nor keep in memory what the reader does not take.
 * @param maxUnread bytes that may wait for the reader; what comes beyond them is lost
 * @param notice the line that tells how many were lost, once there is room again
 */
export function boundedOutput(
  to: Writable,
  maxUnread: number,
  notice: (lost: number) => string,
): Writable {
  let lost = 0;
  // Without a listener, EPIPE would be an uncaught exception
  to.on('error', () => undefined);
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      const isFull = to.writableLength > maxUnread;
      if (isFull || to.destroyed) lost += 1;
      else {
        if (lost > 0) to.write(notice(lost));
        lost = 0;
        to.write(line);
      }
      done();
    },
  });
}
