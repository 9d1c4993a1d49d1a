import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { makeServer } from '../../src/redfish/http/server.ts';
import type { TlsProfileName } from '../../src/tls/profile.ts';
import { fixedIdentity } from '../fakes/fixed-identity.ts';
import { keyKinds, type OpensslAuthority, opensslAuthority } from '../fakes/openssl-authority.ts';

const limits = {
  headerBytes: 2048,
  connections: 50,
  connectionsPerAddress: 50,
  unansweredRequests: 8,
  requestMilliseconds: 5000,
  idleMilliseconds: 5000,
  handshakeMilliseconds: 5000,
  sendMilliseconds: 5000,
};

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

interface Probe {
  readonly what: string;
  /** Arguments of `openssl s_client`. */
  readonly args: readonly string[];
  readonly ciphers?: string;
}

const suitesOf12: readonly [string, string][] = [
  ['AES128-GCM-SHA256', 'no forward secrecy'],
  ['AES256-SHA', 'no forward secrecy, CBC'],
  ['ECDHE-RSA-AES128-SHA', 'CBC'],
  ['ECDHE-RSA-AES256-SHA384', 'CBC'],
  ['ECDHE-RSA-AES128-SHA256', 'CBC'],
  ['DHE-RSA-AES128-GCM-SHA256', 'finite fields'],
  ['ECDHE-ARIA128-GCM-SHA256', 'ARIA'],
  ['ECDHE-RSA-CAMELLIA128-SHA256', 'Camellia'],
  ['ADH-AES128-GCM-SHA256', 'nobody authenticated'],
  ['AECDH-AES128-SHA', 'nobody authenticated'],
  ['PSK-AES128-GCM-SHA256', 'a shared key'],
  ['ECDHE-RSA-NULL-SHA', 'no encryption'],
  ['NULL-SHA256', 'no encryption'],
];

const refused: readonly Probe[] = [
  { what: 'TLS 1.0', args: ['-tls1'], ciphers: 'ALL' },
  { what: 'TLS 1.1', args: ['-tls1_1'], ciphers: 'ALL' },
  ...suitesOf12.map(([suite, why]) => ({
    what: `${suite} (${why})`,
    args: ['-tls1_2', '-psk', '1a2b'],
    ciphers: suite,
  })),
  { what: 'TLS_AES_128_CCM_SHA256', args: ['-ciphersuites', 'TLS_AES_128_CCM_SHA256', '-tls1_3'] },
  ...['secp224r1', 'secp521r1', 'X448', 'secp256k1', 'brainpoolP256r1'].map((curve) => ({
    what: `a key exchange over ${curve}`,
    args: ['-tls1_2', '-groups', curve],
  })),
  ...['ffdhe2048', 'secp521r1', 'X448'].map((group) => ({
    what: `${group} in TLS 1.3`,
    args: ['-tls1_3', '-groups', group],
  })),
  { what: 'a signature over SHA-1', args: ['-tls1_2', '-sigalgs', 'RSA+SHA1'] },
  { what: 'a signature over SHA-224', args: ['-tls1_2', '-sigalgs', 'RSA+SHA224'] },
  { what: 'a protocol that is not HTTP/1.1', args: ['-alpn', 'h2'] },
];

const accepted: readonly Probe[] = [
  ...['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'].map((suite) => ({
    what: `ECDHE-RSA-${suite}`,
    args: ['-tls1_2'],
    ciphers: `ECDHE-RSA-${suite}`,
  })),
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'].map(
    (suite) => ({ what: suite, args: ['-tls1_3', '-ciphersuites', suite] }),
  ),
  ...['X25519', 'prime256v1', 'secp384r1'].flatMap((group) =>
    ['-tls1_2', '-tls1_3'].map((version) => ({
      what: `${group} with ${version}`,
      args: [version, '-groups', group],
    })),
  ),
  { what: 'HTTP/1.1 by ALPN', args: ['-alpn', 'h2,http/1.1'] },
  { what: 'a client without ALPN', args: [] },
];

describe('the TLS of the service', () => {
  let authority: OpensslAuthority;
  let path: string;
  const servers: Server[] = [];
  const ports: Partial<Record<TlsProfileName, number>> = {};

  before(async () => {
    authority = opensslAuthority();
    const { key, pem } = authority.issue({ key: keyKinds.rsa(2048) });
    path = authority.write('server.pem', key + pem);
    for (const profile of ['intermediate', 'modern'] as const) {
      const options = { identity: fixedIdentity(path), limits, profile, log: quiet };
      const server = makeServer(options, {
        handler: (_, res) => res.end('served'),
        allowedAt: () => ['GET'],
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.push(server);
      ports[profile] = (server.address() as AddressInfo).port;
    }
  });

  after(() => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    authority.remove();
  });

  for (const { what, args, ciphers = 'DEFAULT' } of accepted) {
    it(`speaks ${what}`, async () => {
      const text = await probe('intermediate', [...args, '-cipher', `${ciphers}:@SECLEVEL=0`]);
      assert.match(text, /Cipher is (?!\(NONE\))/);
      assert.match(text, /Compression: NONE/);
    });
  }

  for (const { what, args, ciphers = 'DEFAULT' } of refused) {
    it(`does not speak ${what}`, async () => {
      const text = await probe('intermediate', [...args, '-cipher', `${ciphers}:@SECLEVEL=0`]);
      // The client must have asked: openssl ends otherwise before it connects
      assert.match(text, /CONNECTED/);
      assert.match(text, /alert|no peer certificate available/);
      assert.match(text, /Cipher is \(NONE\)/);
    });
  }

  it('speaks TLS 1.3 and nothing below in the modern profile', async () => {
    assert.match(await probe('modern', ['-tls1_2']), /Cipher is \(NONE\)/);
    assert.match(await probe('modern', ['-tls1_3']), /New, TLSv1\.3, Cipher is TLS_/);
  });

  it('lets the client choose among the suites', async () => {
    for (const order of [
      'AES256-GCM-SHA384:AES128-GCM-SHA256',
      'AES128-GCM-SHA256:AES256-GCM-SHA384',
    ]) {
      const list = order.replace(/AES/g, 'ECDHE-RSA-AES');
      const text = await probe('intermediate', ['-tls1_2', '-cipher', list]);
      assert.match(text, new RegExp(`Cipher is ${list.split(':')[0]}`));
    }
  });

  it('refuses to renegotiate', async () => {
    const text = await probe('intermediate', ['-tls1_2'], 'R\n');
    assert.match(text, /RENEGOTIATING/);
    assert.match(text, /no renegotiation|alert/i);
  });

  it('knows no heartbeat, and ends truncation by protecting the master secret', async () => {
    const text = await probe('intermediate', ['-tls1_2', '-tlsextdebug', '-msg']);
    assert.doesNotMatch(text, /server extension "heartbeat"/i);
    assert.match(text, /Extended master secret: yes/);
    assert.match(text, /Secure Renegotiation IS supported/);
  });

  it('notices a client that was talked down to TLS 1.2', async () => {
    const text = await probe('intermediate', ['-tls1_2', '-fallback_scsv']);
    assert.match(text, /inappropriate fallback/);
  });

  function probe(profile: TlsProfileName, args: readonly string[], input = 'Q\n'): Promise<string> {
    const all = ['s_client', '-connect', `127.0.0.1:${ports[profile]}`, ...args];
    const child = spawn('openssl', all);
    return new Promise((resolve) => {
      let text = '';
      const take = (chunk: Buffer) => {
        text += chunk;
        // The command is read only after the handshake
        if (/---\n$|read R BLOCK/.test(text)) child.stdin.end(input);
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.stdin.on('error', () => undefined);
      child.on('close', () => resolve(text));
    });
  }
});
