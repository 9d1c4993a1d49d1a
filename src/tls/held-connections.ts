import type { Server, Socket } from 'node:net';

/** A disk that answers no more must not keep clients out. */
const maxMilliseconds = 1000;

/**
 * Keeps connections from their handshakes while there is something to wait for, which a listener cannot: those of
 * Node come too, at once.
 * @param due `undefined` when there is nothing to wait for, as nearly always
 */
export function holdConnections(server: Server, due: () => Promise<void> | undefined): void {
  const emit = server.emit.bind(server) as (event: string | symbol, ...args: unknown[]) => boolean;
  server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    const wait = event === 'connection' ? due() : undefined;
    if (!wait) return emit(event, ...args);
    void hold(args[0] as Socket, wait).then((isOpen) => isOpen && emit(event, ...args));
    return true;
  };
}

/** @returns whether the client is still there */
async function hold(socket: Socket, wait: Promise<void>): Promise<boolean> {
  // Node has no listener yet, and an error without a listener ends the program
  const ignore = () => undefined;
  socket.on('error', ignore);
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, maxMilliseconds);
  });
  await Promise.race([wait, limit]);
  clearTimeout(timer);
  socket.off('error', ignore);
  return !socket.destroyed;
}
