import type { Socket } from 'node:net';

/**
 * Waits for what a client sends first, which stays to be read. A client that sends nothing for so long, or closes, is
 * sent away.
 */
export function whenFirstBytesCome(socket: Socket, milliseconds: number, use: () => void): void {
  const timer = setTimeout(() => socket.destroy(), milliseconds);
  socket.on('error', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
  socket.once('readable', () => {
    clearTimeout(timer);
    if (socket.destroyed) return;
    if (socket.readableLength > 0) use();
    else socket.destroy();
  });
}
