import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { passwordHelper } from '../../../src/identity/system-users/password-helper.ts';
import { PasswordsUnavailable } from '../../../src/identity/system-users/passwords.ts';
import { forkedWorker } from '../../../src/manager/csr/forked-worker.ts';
import { campaign } from './campaign.ts';
import { jsonMutators } from './mutate-json.ts';
import { textMutators } from './mutate-text.ts';
import { byteMutators } from './mutation.ts';

const directory = mkdtempSync(join(tmpdir(), 'hostile-helpers-'));
after(() => rmSync(directory, { recursive: true }));
const silent = { debug() {}, info() {}, warn() {}, error() {} };

it('a password helper that says anything but its answers lets nobody in', async () => {
  const path = join(directory, 'helper');
  let words: Buffer = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resume().end(words);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  after(() => server.close());
  const passwords = passwordHelper({ path, deadline: 10_000, maxWaiting: 1, log: silent });
  await campaign({
    name: 'password helper',
    corpus: ['0\n', '1\n', '2\n', '3\n', '0', '00\n', '0\n0\n', ' 0\n', '0\r\n'].map((one) =>
      Buffer.from(one),
    ),
    mutators: [...byteMutators, ...textMutators],
    isRefusal: (error) => error instanceof PasswordsUnavailable,
    async attempt(input) {
      words = input;
      const answer = await passwords.check('admin', 'wrong', '::1');
      assert.equal(answer === 'right', input.equals(Buffer.from('0\n')));
      return answer;
    },
  });
});

it('a worker that says anything but the hash of a key makes its request fail, and nothing else', async () => {
  const script = join(directory, 'worker.mjs');
  writeFileSync(script, 'process.once("message", ({ plan }) => process.send(plan));');
  const worker = forkedWorker({ script, deadline: 20_000, workers: 1 });
  const replies = [
    { publicKeyHash: 'a'.repeat(64) },
    { fault: 'ENOSPC' },
    { publicKeyHash: '../x' },
  ];
  await campaign({
    name: 'worker',
    maxMilliseconds: 5000,
    corpus: [...replies, 'text', 7, [null], { fault: { toString: 1 } }].map((one) =>
      Buffer.from(JSON.stringify(one)),
    ),
    mutators: jsonMutators,
    async attempt(input) {
      let plan: unknown;
      try {
        plan = JSON.parse(input.toString());
      } catch {
        return 'no message';
      }
      const hash = await worker({ directory, plan: plan as never });
      assert.match(hash, /^[0-9a-f]{64}$/);
      return 'a hash';
    },
  });
});
