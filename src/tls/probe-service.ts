import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { reasonOf } from '../core/cert-error.ts';

/** A service may take a while to read its files again. */
const patienceMilliseconds = 10_000;
const pauseMilliseconds = 100;
const handshakeMilliseconds = 5000;

/**
 * Makes TLS handshakes until a service shows a certificate, or for too long.
 * @param address `HOST:PORT`
 * @returns why it does not show it, `undefined` when it does
 */
export async function probeService(
  address: string,
  certificate: Buffer,
): Promise<string | undefined> {
  const until = performance.now() + patienceMilliseconds;
  for (;;) {
    const fault = await shownAt(address).then(
      (shown) =>
        shown.equals(certificate) ? undefined : `${address} still shows another certificate`,
      (error: unknown) => `${address} makes no handshake: ${reasonOf(error)}`,
    );
    if (fault === undefined || performance.now() > until) return fault;
    await sleep(pauseMilliseconds);
  }
}

/** The service is to be seen, and not to be trusted: nothing is sent to it. */
function shownAt(address: string): Promise<Buffer> {
  const [, bracketed, plain = '', port = ''] = /^(?:\[(.*)\]|(.*)):(\d+)$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ca: [] }, () => {
      resolve(socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0));
      socket.destroy();
    });
    socket.setTimeout(handshakeMilliseconds, () => socket.destroy(new Error('it does not answer')));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('it closed the connection')));
  });
}
