import assert from 'node:assert/strict';
import type { Endpoint } from '../../src/manager/endpoint.ts';
import { refusal } from './refusal.ts';

/** How a change in two phases may end. */
export const endings = ['let go', 'undo', 'keep'] as const;

/** Stages a change and ends it. @throws CertError when it is refused; what must hold is asserted */
export async function tryOut(
  endpoint: Endpoint,
  pem: string,
  ending: (typeof endings)[number],
): Promise<void> {
  const listed = () => endpoint.list().map(({ id, certificate }) => `${id} ${certificate.pem}`);
  const before = listed();
  const staged = await endpoint.stage(pem);
  try {
    await assert.rejects(endpoint.deleteAll(), refusal('replacement-in-progress'));
    if (ending !== 'let go') await staged.activate();
    if (ending === 'undo') await staged.undo();
    if (ending !== 'keep') assert.deepEqual(listed(), before);
  } finally {
    staged.release();
  }
}
