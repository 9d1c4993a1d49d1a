import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type FilledStack, startFilledStack } from './filled-stack.ts';
import { runProgram, skipWithout } from './programs.ts';

const steps = [
  'log in with a session',
  'list the certificates',
  'GenerateCSR, sign, ReplaceCertificate',
  'Rekey, sign, ReplaceCertificate',
  'Renew, sign, ReplaceCertificate',
  'be refused with a stale certificate',
  'create an account',
  'change the account and log in with it',
  'give the account another name',
  'delete the account',
  'subscribe to events and submit test events',
  'suspend, resume and delete the subscription',
  'read and change the manager',
  'log out',
];

describe('gofish', { skip: skipWithout('gofish-client') }, () => {
  let filled: FilledStack;
  let lines: readonly string[];
  let output: string;

  before(async () => {
    filled = await startFilledStack();
    const { stack, folder } = filled;
    const args = [stack.url, 'admin', stack.password, folder];
    const { stdout, stderr } = await runProgram('gofish-client', args);
    output = stdout + stderr;
    lines = stdout.split('\n');
  });

  after(() => filled?.close());

  for (const step of steps) {
    it(`lets an operator ${step}`, () => assert.ok(lines.includes(`ok ${step}`), output));
  }
});
