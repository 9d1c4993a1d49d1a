import assert from 'node:assert/strict';
import fs, { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, mock } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { openServerIdentity, type ServerIdentity } from '../../src/tls/server-identity.ts';
import { followTlsIdentity } from '../../src/tls/tls-identity.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { makeCredential, makeMismatch, makePair } from '../fakes/credentials.ts';
import { keyKinds, opensslAuthority } from '../fakes/openssl-authority.ts';

type Note = (message: string, fields?: object) => void;

function identityOf(path: string, note: Note = () => undefined): Promise<ServerIdentity> {
  return openServerIdentity({
    path,
    copyPath: `${path}.copy`,
    maxBytes: 100_000,
    content: usualLimits,
    profile: 'intermediate',
    makeSelfSigned: () => makeCredential('in memory'),
    now: Date.now,
    log: { debug: note, info: note, warn: note, error: note },
  });
}

it('shows the new certificate when the file was replaced while the first was read', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tls-'));
  const path = join(directory, 'server.pem');
  const place = (name: string) => {
    writeFileSync(`${path}.new`, makePair(name));
    renameSync(`${path}.new`, path);
  };
  place('first');
  const original = fs.promises.open;
  // The only moment at which it may happen unseen lies within the program
  const opened = mock.method(fs.promises, 'open', async (...args: Parameters<typeof original>) => {
    const handle = await original(...args);
    opened.mock.restore();
    syncBuiltinESMExports();
    place('second');
    return handle;
  });
  syncBuiltinESMExports();
  const server = createServer({}, (_, res) => res.end());
  const note = () => undefined;
  const log = { debug: note, info: note, warn: note, error: note };
  const identity = await identityOf(path);
  assert.equal(opened.mock.callCount(), 1);
  const settings = { ticketMilliseconds: 1000, monotonic: () => 0, log };
  followTlsIdentity(server, { identity, profile: 'intermediate', ...settings });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  try {
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    assert.equal(nameOf(socket), 'second');
  } finally {
    socket.destroy();
    server.close();
    await identity.close();
    rmSync(directory, { recursive: true });
  }
});

describe('a server that follows its certificate file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tls-'));
  const path = join(directory, 'server.pem');
  const messages: string[] = [];
  let identity: ServerIdentity;
  let server: Server;
  let port: number;
  let clock = 0;

  before(async () => {
    replaceFile(makePair('first'));
    server = createServer({}, (_, res) => res.end('served'));
    const note: Note = (message, fields = {}) => {
      messages.push(`${message} ${JSON.stringify(fields)}`);
    };
    identity = await identityOf(path, note);
    followTlsIdentity(server, {
      identity,
      profile: 'intermediate',
      ticketMilliseconds: 1000,
      monotonic: () => clock,
      log: { debug: note, info: note, warn: note, error: note },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  after(async () => {
    server.close();
    server.closeAllConnections();
    await identity.close();
    rmSync(directory, { recursive: true });
  });

  it('shows a new certificate to the very next connection and drops no open one', async () => {
    const early = await open();
    assert.equal(nameOf(early), 'first');
    replaceFile(makePair('second'));
    const late = await open();
    assert.equal(nameOf(late), 'second');
    late.destroy();
    assert.match(await ask(early), /served/);
  });

  it('resumes no session of the certificate that was replaced', async () => {
    const first = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const session = await new Promise<Buffer>((resolve) => first.once('session', resolve));
    first.destroy();
    replaceFile(makePair('third'));
    const socket = await open({ session });
    assert.equal(socket.isSessionReused(), false);
    assert.equal(nameOf(socket), 'third');
    socket.destroy();
  });

  it('resumes a session until the keys of its tickets are due, and no longer', async () => {
    const first = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const session = await new Promise<Buffer>((resolve) => first.once('session', resolve));
    first.destroy();
    clock += 999;
    const soon = await open({ session });
    assert.equal(soon.isSessionReused(), true);
    soon.destroy();
    clock += 1;
    const late = await open({ session });
    assert.equal(late.isSessionReused(), false);
    late.destroy();
  });

  it('drops no connection while the certificate changes under load', async () => {
    const answers: Promise<string>[] = [];
    for (let round = 0; round < 10; round += 1) {
      const early = await Promise.all(Array.from({ length: 5 }, () => open()));
      replaceFile(round % 2 === 0 ? makePair('even') : makePair('third'));
      answers.push(...early.map(ask), ...Array.from({ length: 5 }, async () => ask(await open())));
    }
    const texts = await Promise.all(answers);
    assert.equal(texts.filter((text) => /served/.test(text)).length, 100);
  });

  it('fails no handshake while bad files and good ones follow each other', async () => {
    const openssl = opensslAuthority();
    const refused = ['secp256k1', 'prime192v1'].map((curve) => {
      const { key, pem } = openssl.issue({ key: keyKinds.ec(curve) });
      return key + pem;
    });
    openssl.remove();
    const shown: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      const bad = refused[round % 2] ?? '';
      replaceFile(bad);
      const first = Promise.all([open(), open()]);
      // Clients who leave while they are held change nothing for the others
      connectTcp(port, '127.0.0.1', function (this: Socket) {
        this.resetAndDestroy();
      });
      replaceFile(round % 4 < 2 ? bad : makePair('third'));
      for (const socket of [...(await first), await open()]) {
        shown.push(nameOf(socket));
        socket.destroy();
      }
    }
    assert.deepEqual(
      shown,
      shown.map(() => 'third'),
    );
  });

  for (const [what, text] of [
    ['holds garbage', 'garbage'],
    ['is empty', ''],
    ['has a key of another certificate', makeMismatch()],
  ] as const) {
    it(`stays with the old certificate when the file ${what}`, async () => {
      replaceFile(text);
      const socket = await open();
      assert.equal(nameOf(socket), 'third');
      assert.match(messages.at(-1) ?? '', /the old one stays/);
      socket.destroy();
    });
  }

  it('takes a file that could not be read for a moment as soon as it can', {
    skip: process.getuid?.() !== 0,
  }, async () => {
    replaceFile(makePair('fourth'));
    chmodSync(path, 0o600);
    process.seteuid?.(65534);
    try {
      const early = await open();
      assert.equal(nameOf(early), 'third');
      early.destroy();
    } finally {
      process.seteuid?.(0);
    }
    const late = await open();
    assert.equal(nameOf(late), 'fourth');
    late.destroy();
    replaceFile(makePair('third'));
    (await open()).destroy();
  });

  it('stays with the old certificate when the file is gone', async () => {
    rmSync(path);
    const socket = await open();
    assert.equal(nameOf(socket), 'third');
    socket.destroy();
  });

  function replaceFile(text: string): void {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  function open(options: object = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect(
        { port, host: '127.0.0.1', rejectUnauthorized: false, ...options },
        () => resolve(socket),
      );
      socket.once('error', reject);
    });
  }
});

function nameOf(socket: TLSSocket): string {
  return String(socket.getPeerCertificate().subject.CN);
}

function ask(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text));
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  });
}
