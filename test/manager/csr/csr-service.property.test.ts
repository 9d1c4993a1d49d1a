import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CsrService } from '../../../src/manager/csr/csr-service.ts';
import { PendingRequests } from '../../../src/manager/csr/pending-requests.ts';
import { csrParameters, makeWorld, type World } from '../../fakes/manager-world.ts';
import { refusal } from '../../fakes/refusal.ts';

const queuedRequests = 2;

/** `begin` is upstream's GenerateCSR, `make` is our Generate; `finish` lets the workers end. */
type Step = 'begin' | 'begin in vain' | 'make' | 'finish';
const steps = fc.array(fc.constantFrom<Step>('begin', 'begin in vain', 'make', 'finish'), {
  maxLength: 16,
});

describe('any sequence of calls that make CSRs', () => {
  it('shows the newest CSR that was begun, whatever was refused after it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const world = makeWorld({ limits: { queuedRequests } });
        try {
          await follow(world, sequence);
        } finally {
          world.remove();
        }
      }),
      { numRuns: 25 },
    );
  });
});

async function follow(world: World, sequence: readonly Step[]): Promise<void> {
  const held = holdWorkers(world);
  const desk = deskOf(world);
  let working: Promise<unknown>[] = [];
  let newest: Promise<string | undefined> | undefined;
  const finish = async () => {
    while (held.length < working.length) await new Promise(setImmediate);
    for (const release of held.splice(0)) release();
    await Promise.all(working);
    working = [];
  };
  for (const step of sequence) {
    const shown = desk.outcome;
    if (step === 'finish') await finish();
    else if (working.length === queuedRequests) {
      await assert.rejects(async () => call(desk, step), refusal('busy'));
      assert.equal(desk.outcome, shown, `${step} was refused`);
    } else {
      newest = call(desk, step).catch(() => undefined);
      if (step === 'begin in vain') await newest;
      else working.push(newest);
    }
  }
  await finish();
  const pem = await newest;
  assert.equal(desk.outcome.pem, pem);
  assert.equal(desk.outcome.state, newest === undefined ? 'none' : pem ? 'ready' : 'failed');
}

function call(desk: CsrService, step: Exclude<Step, 'finish'>): Promise<string> {
  if (step === 'make') return desk.make(csrParameters());
  return desk.begin(csrParameters(step === 'begin' ? {} : { Country: 'Switzerland' }));
}

function deskOf({ directory, dependencies }: World): CsrService {
  const pending = new PendingRequests(join(directory, 'requests'), 50);
  const inService = () => undefined;
  return new CsrService({
    type: 'server',
    pending,
    dependencies,
    inService,
    emit: () => undefined,
  });
}

function holdWorkers(world: World): (() => void)[] {
  const { csrWorker } = world;
  const held: (() => void)[] = [];
  world.csrWorker = async (job) => {
    await new Promise<void>((resolve) => held.push(resolve));
    return csrWorker(job);
  };
  return held;
}
