import assert from 'node:assert/strict';
import type { OperatorWorld } from './operator-world.ts';

/** OpenBMC's endpoints, of which the first has a service that does not run. */
export const toldEndpoints = [
  { type: 'server', name: 'https', path: 'https/server.pem', reload: [{ pidFile: 'absent.pid' }] },
  { type: 'client', name: 'ldap', path: 'ldap/cert.pem', reload: [] },
  { type: 'authority', name: 'truststore', path: 'authority', reload: [] },
];

/** Puts a certificate with a life of 100 days into service that ends so many days from now. */
export async function serveFor(
  { authority, run }: OperatorWorld,
  days: number,
  names: readonly string[] = [],
): Promise<void> {
  const until = Date.now() + days * 86_400_000;
  const extensions = names.length > 0 ? [`subjectAltName=${names.map((one) => `DNS:${one}`)}`] : [];
  const issued = authority.issue({
    issuer: authority.issueCa(),
    subject: '/CN=bmc',
    from: generalizedTime(until - 100 * 86_400_000),
    until: generalizedTime(until),
    ...(extensions.length > 0 && { extensions }),
  });
  const { status, stderr } = await run(['replace', 'server/https', issued.path, issued.keyPath]);
  assert.equal(status, 0, stderr);
}

/** As certificates have it after 2049, and openssl always takes it (RFC 5280 §4.1.2.5.2). */
export function generalizedTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
}
