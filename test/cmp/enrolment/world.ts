import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Context } from '../../../src/cmp/enrolment/context.ts';
import { openJournal } from '../../../src/cmp/journal.ts';
import type { CaProfile, CertificatePolicy } from '../../../src/cmp/settings.ts';
import type { Log } from '../../../src/core/log.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { cmpAuthority } from '../../fakes/cmp-authority.ts';
import { memoryDevice } from '../memory-device.ts';

export const password = 'correct horse';

/** A device and a CA, with the clock in the hands of the test. */
export function enrolmentWorld() {
  const directory = mkdtempSync(join(tmpdir(), 'bmc-cmp-'));
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  const clock = { now: Date.UTC(2026, 10, 22) };
  const ca = cmpAuthority(password, () => clock.now);
  const device = memoryDevice([ca.certificate]);
  const lines: string[] = [];
  const write = (message: string, fields = {}) => {
    lines.push(
      [message, ...Object.entries(fields).map(([name, value]) => `${name}=${value}`)].join(' '),
    );
  };
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const profile: CaProfile = {
    name: 'lab',
    description: '',
    url: 'http://127.0.0.1:1/cmp',
    authority: { type: 'authority', name: 'cmp', origin: 'configuration' },
    keyList: { '1': { passwordFile } },
    acceptUnprotected: { errorMessage: false, pkiconfMessage: false },
    sender: 'subject',
    mac: { kind: 'pbm', digest: 'sha256', iterations: 500 },
    maxIterations: 100_000,
    responseSeconds: 5,
    responseBytes: 100_000,
    tlsAuthority: { type: 'authority', name: 'cmp', origin: 'configuration' },
    revocationCheck: 'none',
  };
  const policy: CertificatePolicy = {
    name: 'sr-cert',
    endpoint: { type: 'server', name: 'https', origin: 'configuration' },
    ca: 'lab',
    reference: '1',
    subject: 'C=NL,O=Example\\, Inc.,CN={hostname}',
    names: ['{hostname}', '{address:eth0}'],
    key: { kind: 'EC', curve: 'prime256v1' },
    use: 'tls-server',
    ignoreKeyUsage: false,
    renew: 'kur',
    kurNames: 'repeat',
    renewBefore: { hours: 6 },
    warning: { hours: 2, repeatHours: 1 },
    isAutomatic: false,
    probe: '127.0.0.1:443',
  };
  const facts = {
    hostname: 'bmc.example.com',
    serial: undefined,
    addresses: (name: string) => (name === 'eth0' ? ['192.0.2.5', '2001:db8::5'] : []),
  };
  const path = join(directory, 'sr-cert.json');
  return {
    ca,
    device,
    clock,
    lines,
    path,
    directory,
    profile,
    policy,
    /** As after a start of the agent: the journal is read from the disk. */
    context(changes: Partial<Context> = {}): Context {
      return {
        ...{ policy, profile, device, facts, log, content: usualLimits },
        journal: openJournal(path),
        now: () => clock.now,
        random: randomBytes,
        send: (_profile, message) => ca.answer(message),
        probe: async (_address, certificate) =>
          device.served?.certificate.der.equals(certificate) ? undefined : 'it shows another one',
        ...changes,
      };
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

export type EnrolmentWorld = ReturnType<typeof enrolmentWorld>;
