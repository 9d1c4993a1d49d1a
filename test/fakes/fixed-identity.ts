import { readFileSync } from 'node:fs';
import { readCredential } from '../../src/tls/credential.ts';
import type { ServerIdentity } from '../../src/tls/server-identity.ts';

/** What a PEM file holds now, for servers of tests that change no certificate. */
export function fixedIdentity(path: string): ServerIdentity {
  return {
    credential: readCredential(readFileSync(path, 'utf8')),
    fault: undefined,
    since: 0,
    isBehind: false,
    refresh: () => undefined,
    onChange: () => () => undefined,
    close: async () => undefined,
  };
}
