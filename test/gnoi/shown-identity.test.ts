import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openShownIdentity } from '../../src/gnoi/serving/shown-identity.ts';
import { openServerIdentity, type ServerIdentity } from '../../src/tls/server-identity.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import { makeCredential, makeMismatch, makePair } from '../fakes/credentials.ts';

describe('what the gNOI service shows', () => {
  let directory: string;
  let own: string;
  let bound: string;
  let fallback: ServerIdentity;
  let shown: ServerIdentity;
  const log = { debug() {}, info() {}, warn() {}, error() {} };

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gnoi-identity-'));
    own = join(directory, 'own.pem');
    bound = join(directory, 'bound.pem');
    writeFileSync(own, makePair('own'));
    const options = {
      ...{ maxBytes: 100_000, content: usualLimits, profile: 'intermediate' as const },
      ...{ now: Date.now, log },
    };
    const makeSelfSigned = () => makeCredential('memory');
    const copyPath = join(directory, 'copy.pem');
    fallback = await openServerIdentity({ ...options, path: own, copyPath, makeSelfSigned });
    shown = await openShownIdentity({ ...options, path: bound, fallback });
  });
  afterEach(async () => {
    await shown.close();
    await fallback.close();
    rmSync(directory, { recursive: true });
  });

  async function name(): Promise<string> {
    await shown.refresh();
    return shown.credential.certificate.x509.subject.split('CN=')[1] ?? '';
  }

  it('is its own certificate until it is bound, also when that is replaced', async () => {
    assert.equal(await name(), 'own');
    writeFileSync(own, makePair('renewed'));
    assert.equal(await name(), 'renewed');
  });

  it('is the file of the manager while there is one, and its own certificate again afterwards', async () => {
    writeFileSync(bound, makePair('bound'));
    assert.equal(await name(), 'bound');
    writeFileSync(own, makePair('renewed'));
    assert.equal(await name(), 'bound');
    rmSync(bound);
    assert.equal(await name(), 'renewed');
    writeFileSync(bound, makePair('again'));
    assert.equal(await name(), 'again');
  });

  it('stays when the file of the manager cannot be served', async () => {
    writeFileSync(bound, makePair('bound'));
    assert.equal(await name(), 'bound');
    writeFileSync(bound, makeMismatch());
    assert.equal(await name(), 'bound');
    assert.match(shown.fault ?? '', /not that of the first certificate/);
  });
});
