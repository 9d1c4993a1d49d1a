import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { forkedWorker } from '../../../src/manager/csr/forked-worker.ts';
import type { CsrJob } from '../../../src/manager/csr/make-request-files.ts';
import { planRequest } from '../../../src/manager/csr/plan.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { openssl } from '../../fakes/openssl-authority.ts';
import { refusal } from '../../fakes/refusal.ts';

const root = mkdtempSync(join(tmpdir(), 'forked-worker-'));
after(() => rmSync(root, { recursive: true }));
const realWorker = fileURLToPath(new URL('../../../src/bin/csr-worker.ts', import.meta.url));

/** A deadline that no test reaches. */
const maxInternalFileBytes = 60_000;

/** A worker program of these lines. */
function script(name: string, ...lines: string[]): string {
  const path = join(root, `${name}.cjs`);
  writeFileSync(path, lines.join('\n'));
  return path;
}

const workerOf = (script: string, deadline: number, workers = 4) =>
  forkedWorker({ script, deadline, workers });

describe('a forked worker', () => {
  let directory: string;
  let job: CsrJob;
  beforeEach(() => {
    directory = mkdtempSync(join(root, 'job-'));
    const parameters = csrParameters({ CommonName: 'bmc', ChallengePassword: 'tops3cret' });
    job = { directory, plan: planRequest(parameters, 'client') };
  });

  it('makes the key and the request, and tells the hash of the public key alone', async () => {
    const hash = await workerOf(realWorker, maxInternalFileBytes)(job);
    assert.deepEqual(readdirSync(directory).sort(), ['key.pem', 'request.pem']);
    const request = readFileSync(join(directory, 'request.pem'), 'utf8');
    assert.match(openssl(['req', '-verify', '-noout', '-text'], request), /CN = bmc/);
    const publicKey = openssl(['req', '-noout', '-pubkey'], request);
    assert.equal(openssl(['pkey', '-pubout', '-in', join(directory, 'key.pem')]), publicKey);
    assert.match(hash, /^[0-9a-f]{64}$/);
  });

  it('says which fault it met, and nothing that the request says', async () => {
    const lost = { ...job, directory: join(directory, 'tops3cret', 'absent') };
    await assert.rejects(workerOf(realWorker, maxInternalFileBytes)(lost), (error: Error) => {
      refusal('request-failed', /ENOENT/)(error);
      assert.doesNotMatch(error.message, /tops3cret/);
      return true;
    });
  });

  it('is killed at its deadline', async () => {
    const pidFile = join(directory, 'pid');
    const path = script(
      'hanging',
      'process.on("SIGTERM", () => {});',
      'process.on("message", (job) =>',
      '  require("node:fs").writeFileSync(job.directory + "/pid", String(process.pid)));',
    );
    await assert.rejects(workerOf(path, 1000)(job), refusal('request-timeout', /within 1 s/));
    if (!existsSync(pidFile)) return;
    const pid = Number(readFileSync(pidFile, 'utf8'));
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });

  const ends: [string, string, string, RegExp][] = [
    ['cannot be loaded', 'broken', 'this is no program', /ended with 1/],
    ['ends without a word', 'silent', 'process.exit(0)', /ended with 0/],
    [
      'ends with a status',
      'failing',
      'process.on("message", () => process.exit(3))',
      /ended with 3/,
    ],
    [
      'is killed',
      'killed',
      'process.on("message", () => process.kill(process.pid, "SIGKILL"))',
      /SIGKILL/,
    ],
    [
      'reports a fault',
      'faulty',
      'process.on("message", () => process.send({ fault: "EROFS" }, () => process.exit(1)))',
      /made: EROFS/,
    ],
  ];
  for (const [what, name, line, words] of ends) {
    it(`fails its job when it ${what}`, async () => {
      const worker = workerOf(script(name, line), maxInternalFileBytes);
      await assert.rejects(worker(job), refusal('request-failed', words));
    });
  }

  it('tells a full disk from other faults', async () => {
    const line =
      'process.on("message", () => process.send({ fault: "ENOSPC" }, () => process.exit(1)))';
    const worker = workerOf(script('full', line), maxInternalFileBytes);
    await assert.rejects(worker(job), refusal('storage-full', /ENOSPC/));
  });

  it('fails its job when there is no such program', async () => {
    const worker = workerOf(join(root, 'absent.cjs'), maxInternalFileBytes);
    await assert.rejects(worker(job), refusal('request-failed'));
  });

  it('gives each job a process of its own', async () => {
    const line =
      'process.on("message", () => process.send({ publicKeyHash: String(process.pid).padStart(64, 0) }, () => process.exit()))';
    const worker = workerOf(script('polite', line), maxInternalFileBytes);
    const [one, two] = await Promise.all([worker(job), worker(job)]);
    assert.notEqual(one, two);
  });

  it('has no more processes at a time than it may, and does every job in its turn', async () => {
    const line =
      'process.on("message", () => setTimeout(() => process.send({ publicKeyHash: String(process.pid).padStart(64, 0) }, () => process.exit()), 30))';
    const worker = workerOf(script('slow', line), maxInternalFileBytes, 1);
    const ended: number[] = [];
    const began = performance.now();
    await Promise.all(
      [0, 1, 2].map(async (at) => {
        await worker(job);
        ended.push(at);
      }),
    );
    assert.deepEqual(ended, [0, 1, 2]);
    assert.ok(performance.now() - began >= 90);
  });

  it('gives up the place of a job that failed', async () => {
    const worker = workerOf(join(root, 'absent.cjs'), maxInternalFileBytes, 1);
    for (const attempt of [1, 2]) {
      await assert.rejects(worker(job), refusal('request-failed'), `attempt ${attempt}`);
    }
  });
});
