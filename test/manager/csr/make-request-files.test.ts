import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { makeRequestFiles } from '../../../src/manager/csr/make-request-files.ts';
import { planRequest } from '../../../src/manager/csr/plan.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { openssl } from '../../fakes/openssl-authority.ts';

describe('the work on a request', () => {
  const root = mkdtempSync(join(tmpdir(), 'request-files-'));
  after(() => rmSync(root, { recursive: true }));
  const plan = planRequest(csrParameters({ CommonName: 'bmc' }), 'client');
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(root, 'job-'));
  });

  it('leaves a key and its request, both for the owner only', async () => {
    const hash = await makeRequestFiles({ directory, plan });
    const [key, request] = readdirSync(directory)
      .sort()
      .map((name) => join(directory, name));
    assert.ok(key && request);
    for (const path of [key, request]) assert.equal(statSync(path).mode & 0o777, 0o600);
    const publicKey = openssl(['req', '-verify', '-noout', '-pubkey', '-in', request]);
    assert.equal(openssl(['pkey', '-in', key, '-pubout']), publicKey);
    const der = Buffer.from(publicKey.replace(/-----.*-----|\n/g, ''), 'base64');
    const digest = await crypto.subtle.digest('SHA-256', der);
    assert.equal(hash, Buffer.from(digest).toString('hex'));
  });

  it('never writes over a key that is there', async () => {
    writeFileSync(join(directory, 'key.pem'), 'precious');
    await assert.rejects(makeRequestFiles({ directory, plan }), { code: 'EEXIST' });
    assert.equal(readFileSync(join(directory, 'key.pem'), 'utf8'), 'precious');
  });

  it('takes a new key each time', async () => {
    const other = mkdtempSync(join(root, 'job-'));
    const one = await makeRequestFiles({ directory, plan });
    assert.notEqual(await makeRequestFiles({ directory: other, plan }), one);
  });
});
