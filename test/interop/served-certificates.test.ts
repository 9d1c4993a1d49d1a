import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { credentialAdmission } from '../../src/manager/credential/admission.ts';
import { profileOptions, servingProfile } from '../../src/tls/profile.ts';
import { type Browser, startChromium } from '../e2e/chromium.ts';
import { run } from '../e2e/commands.ts';
import { makeWorld } from '../fakes/manager-world.ts';
import {
  type CertificateShape,
  caExtensions,
  keyKinds,
  opensslAuthority,
} from '../fakes/openssl-authority.ts';

const host = 'localhost';
const names = 'subjectAltName=DNS:localhost';
const identifiers = [...caExtensions, 'authorityKeyIdentifier=keyid:always'];
const pss = ['-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048'];

/** What real clients do with what the manager accepts, warns of and refuses at a server. */
describe('a server certificate', () => {
  const authority = opensslAuthority();
  const world = makeWorld({ serving: servingProfile('intermediate') });
  const nothing = { find: async () => undefined, isEmpty: async () => true };
  const admission = credentialAdmission('server', world.dependencies, nothing);
  const root = authority.issueCa({ extensions: identifiers.slice(0, 3) });
  const issuer = authority.issueCa({
    issuer: root,
    subject: '/CN=Issuing',
    extensions: identifiers,
  });
  let browser: Browser;
  before(async () => {
    browser = await startChromium(240_000);
  });
  after(async () => {
    await browser?.close();
    authority.remove();
    world.remove();
  });

  /** The names of the clients that refuse it; all of them trust the root. */
  const refusers = async (port: number): Promise<string[]> => {
    const address = `${host}:${port}`;
    const verify = ['-CAfile', root.path, '-verify_return_error', '-verify_hostname', host];
    const programs: Record<string, () => Promise<boolean>> = {
      openssl: async () =>
        (await run('openssl', ['s_client', '-connect', address, ...verify])).status === 0,
      curl: async () =>
        (await run('curl', ['-sS', '--cacert', root.path, `https://${address}/`])).status === 0,
      gnutls: async () => {
        const options = [`--x509cafile=${root.path}`, '--port', String(port), host];
        return /Status: The certificate is trusted/.test((await run('gnutls-cli', options)).stdout);
      },
      // It trusts other roots, and ignores that it does not trust this one
      chromium: () =>
        browser.open(`https://${address}/`).then(
          () => true,
          () => false,
        ),
    };
    const asked = Object.entries(programs).map(async ([name, accepts]) =>
      (await accepts()) ? [] : [name],
    );
    return (await Promise.all(asked)).flat();
  };

  const usage = (...lines: string[]) => [names, 'authorityKeyIdentifier=keyid', ...lines];
  const rsa = keyKinds.rsa(2048);
  const rows: readonly (readonly [string, CertificateShape, string, RegExp])[] = [
    ['with an RSA key', { key: rsa }, 'accepted', /^$/],
    ['with a key on P-256', {}, 'accepted', /^$/],
    ['with a key on P-384', { key: keyKinds.ec('P-384') }, 'accepted', /^$/],
    [
      'for any purpose',
      { extensions: usage('extendedKeyUsage=anyExtendedKeyUsage') },
      'warned of',
      /^openssl curl$/,
    ],
    ['with an Ed25519 key', { key: keyKinds.ed25519 }, 'warned of', /^chromium$/],
    ['with an RSA-PSS key', { key: pss }, 'warned of', /^chromium$/],
    ['with a key on P-521', { key: keyKinds.ec('P-521') }, 'warned of', /^chromium$/],
    [
      'with the key identifier of another issuer',
      { extensions: [names, `2.5.29.35=DER:30:16:80:14${':AA'.repeat(20)}`] },
      'warned of',
      /openssl curl/,
    ],
    [
      'that may only encipher, with an RSA key',
      { key: rsa, extensions: usage('keyUsage=critical,keyEncipherment') },
      'refused',
      /gnutls|chromium/,
    ],
    [
      'that may only encipher, with an EC key',
      { extensions: usage('keyUsage=critical,keyEncipherment') },
      'refused',
      /chromium/,
    ],
    [
      'for clients only',
      { extensions: usage('extendedKeyUsage=clientAuth') },
      'refused',
      /openssl curl/,
    ],
  ];
  for (const [what, shape, verdict, expected] of rows) {
    it(`${what} is ${verdict}, and refused by ${expected.source}`, async () => {
      const leaf = authority.issue({ issuer, extensions: usage(), ...shape });
      const cert = leaf.pem + issuer.pem;
      const judged = await admission.admit(leaf.key + cert).then(
        ({ findings }) => ((findings?.warnings.length ?? 0) > 0 ? 'warned of' : 'accepted'),
        () => 'refused',
      );
      assert.equal(judged, verdict);
      const options = { ...profileOptions('intermediate'), key: leaf.key, cert };
      const server = createServer(options, (_, response) => response.end('hello'));
      server.on('tlsClientError', () => undefined);
      await new Promise<void>((resolve) => server.listen(0, host, resolve));
      try {
        const found = await refusers((server.address() as AddressInfo).port);
        assert.match(found.join(' '), expected);
      } finally {
        server.close();
        server.closeAllConnections();
      }
    });
  }
});
