import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { ask, logIn } from './clients.ts';
import type { Target } from './target.ts';

/** Someone who has work to do while others attack. */
export interface Operator {
  readonly token: string;
  /** Asks for what only he may see. @throws when the answer is not right */
  isServed(): Promise<void>;
  /** The longest that he waited for an answer, in milliseconds. */
  longestWait(): number;
}

const accounts = '/redfish/v1/AccountService/Accounts/admin';

export async function operatorOf(target: Target): Promise<Operator> {
  const { status, token } = await logIn(target, 'admin', target.password);
  assert.equal(status, 201);
  let longest = 0;
  return {
    token,
    async isServed() {
      const began = performance.now();
      const { status, body } = await ask(target, accounts, { token });
      longest = Math.max(longest, performance.now() - began);
      assert.equal(status, 200, `the operator was answered with ${status}`);
      assert.equal(JSON.parse(body).UserName, 'admin');
    },
    longestWait: () => Math.round(longest),
  };
}
