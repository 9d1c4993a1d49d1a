import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a port that can be cut, as a cable is. */
export interface BreakableWay {
  readonly port: number;
  /** Ends all connections on both sides. */
  cut(): void;
  close(): void;
}

export async function breakableWay(to: number): Promise<BreakableWay> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined).on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close() {
      cut();
      server.close();
    },
  };
}
