import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * A port for a program that cannot say which one it took. It lies below those that Linux gives to whoever asks for any port
 * (ip_local_port_range), so that nobody has it by the time the program begins to listen.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
