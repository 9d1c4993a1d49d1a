import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPromise } from 'node:util/types';
import { CertError, isCertErrorCode } from '../../../src/core/cert-error.ts';
import { extent, figure } from '../extent.ts';
import { type BranchCoverage, followBranches } from './branch-coverage.ts';
import { type Dice, makeDice, seed } from './dice.ts';
import { growthBetweenQuarters } from './memory.ts';
import { type Mutator, mutate } from './mutation.ts';
import { runsOf, type TargetName } from './plan.ts';

/** Something that reads what strangers send. */
export interface Target {
  readonly name: TargetName;
  /** Good inputs, or famous bad ones, from which all others come. */
  readonly corpus: readonly Buffer[];
  readonly mutators: readonly Mutator[];
  /**
   * Hands over an input. What is answered, or the refusal that is thrown, says in a few words what came of
   * it: inputs with a new outcome are kept, to go on from. Any other error is a finding.
   */
  attempt(input: Buffer): string | Promise<string>;
  /** What its refusals are; of the manager unless given. */
  isRefusal?(error: unknown): boolean;
  /** More than a second where each input costs the start of a process. */
  readonly maxMilliseconds?: number;
}

/** `internal` is in the union for faults of ours. */
export function isManagersRefusal(error: unknown): boolean {
  return error instanceof CertError && isCertErrorCode(error.code) && error.code !== 'internal';
}

/** Bounded, so that what is kept looks like no leak. */
const kept = { inputs: 600, bytes: 8192, outcomes: 5000 };
const batch = 256;
/** For one input, in the long form, measured again when the machine was busy; a target may be given more. */
const usualMilliseconds = 1000;

/** Tries mutations of the corpus until the plan is fulfilled. @throws on the first finding */
export async function campaign(target: Target): Promise<void> {
  const { name, corpus } = target;
  const dice = makeDice(`${seed}/${name}`);
  const note = openNote(name);
  const replayed = process.env.HOSTILE_INPUT;
  if (replayed !== undefined) {
    await outcomeOf(target, Buffer.from(readFileSync(replayed, 'utf8').trim(), 'hex'));
    return;
  }
  const pool = [...corpus];
  const outcomes = new Set<string>();
  const keep = (input: Buffer) => {
    if (input.length > kept.bytes) return;
    if (pool.length < corpus.length + kept.inputs) pool.push(input);
    else pool[corpus.length + dice.below(kept.inputs)] = input;
  };
  const tried: Buffer[] = [];
  let coverage: BranchCoverage | undefined;
  let slowest = 0;
  const runs = runsOf(name);
  const memory = growthBetweenQuarters(runs);
  try {
    coverage = extent<() => BranchCoverage | undefined>({
      quick: () => undefined,
      long: followBranches,
    })();
    for (let run = 0; run < runs; run += 1) {
      const input = run < corpus.length ? pool[run] : nextInput(target, pool, dice);
      if (!input) continue;
      note.trying(input);
      const began = performance.now();
      const pending = outcomeOf(target, input);
      const outcome = isPromise(pending) ? await pending : pending;
      const taken = performance.now() - began;
      if (taken > slowest) {
        const isElsewhere = isPromise(pending);
        slowest = await confirmed({ target, input, isElsewhere, before: slowest, taken });
      }
      if (!outcomes.has(outcome) && outcomes.size < kept.outcomes) {
        outcomes.add(outcome);
        keep(input);
      }
      if (coverage && !isPromise(pending)) tried.push(input);
      if (coverage && tried.length === batch) {
        const found = pioneer(target, coverage, tried);
        if (found) keep(found);
        tried.length = 0;
      }
      memory.after(run);
    }
  } catch (error) {
    throw new Error(
      `${name}: a finding with the seed "${seed}"; the input stands in ${note.path}`,
      {
        cause: error,
      },
    );
  } finally {
    coverage?.stop();
  }
  note.remove();
  const { heap, resident } = memory.growth();
  assert.ok(
    heap < extent({ quick: Number.POSITIVE_INFINITY, long: 24 }),
    `the heap grew by ${heap} MB`,
  );
  const parts = [`${runs} inputs`, `${outcomes.size} outcomes`, `slowest ${slowest.toFixed(0)} ms`];
  figure('hostile-input', name, [...parts, `heap ${heap} MB, resident ${resident} MB`].join(', '));
}

/** Half of them from what is good, the others from what led somewhere new. */
function nextInput({ corpus, mutators }: Target, pool: readonly Buffer[], dice: Dice): Buffer {
  const from = dice.once(2) ? dice.pick(corpus) : dice.pick(pool);
  return mutate(mutators, from, dice, dice.pick(pool));
}

function outcomeOf(target: Target, input: Buffer): string | Promise<string> {
  try {
    const answer = target.attempt(input);
    return isPromise(answer) ? answer.catch((error) => refusalOf(target, error)) : answer;
  } catch (error) {
    return refusalOf(target, error);
  }
}

/** @throws the error when it is no refusal */
function refusalOf({ isRefusal = isManagersRefusal }: Target, error: unknown): string {
  if (!(error instanceof Error) || !isRefusal(error)) throw error;
  const code = 'code' in error ? String(error.code) : error.name;
  const cause = error.cause instanceof Error ? error.cause.message : '';
  return `${code} ${error.message} ${cause}`.replace(/[0-9a-f]{4,}|\d+/g, '#').slice(0, 200);
}

interface SlowInput {
  readonly target: Target;
  readonly input: Buffer;
  /** Another process, or the event loop, does the work, so that only the clock on the wall tells. */
  readonly isElsewhere: boolean;
  /** Milliseconds of the slowest input until then, and of this one. */
  readonly before: number;
  readonly taken: number;
}

/**
 * @returns the milliseconds that the input takes at best, where that is more than it may; those in which
 *   others had the processor do not count, as far as that can be told
 */
async function confirmed(slow: SlowInput): Promise<number> {
  const { target, input, isElsewhere, before, taken } = slow;
  const { maxMilliseconds = usualMilliseconds } = target;
  if (taken <= maxMilliseconds) return taken;
  let least = taken;
  for (let again = 0; again < 4 && least > maxMilliseconds; again += 1) {
    const [began, cpu] = [performance.now(), process.cpuUsage()];
    await outcomeOf(target, input);
    const { user, system } = process.cpuUsage(cpu);
    const spent = isElsewhere ? performance.now() - began : (user + system) / 1000;
    least = Math.min(least, spent);
  }
  assert.ok(
    extent({ quick: true, long: least <= maxMilliseconds }),
    `it takes ${least.toFixed(0)} ms`,
  );
  return Math.max(before, least);
}

/** The input of a batch that ran code which none before ran; it is looked for by halves. */
function pioneer(
  target: Target,
  coverage: BranchCoverage,
  inputs: readonly Buffer[],
): Buffer | undefined {
  const fresh = coverage.look();
  if (fresh.size === 0) return undefined;
  let rest = inputs;
  while (rest.length > 1) {
    const half = rest.slice(0, rest.length / 2);
    for (const input of half) void outcomeOf(target, input);
    rest = [...coverage.look()].some((key) => fresh.has(key)) ? half : rest.slice(half.length);
  }
  coverage.learn(fresh);
  coverage.look();
  return rest[0];
}

/** The input that is being tried stands in a file, so that it is known even when the process dies of it. */
function openNote(name: TargetName) {
  const path = join(tmpdir(), `hostile-input-${name.replace(/\W+/g, '-')}.hex`);
  const file = openSync(path, 'w', 0o600);
  return {
    path,
    trying(input: Buffer) {
      ftruncateSync(file);
      writeSync(file, input.toString('hex'), 0);
    },
    remove() {
      closeSync(file);
      rmSync(path, { force: true });
    },
  };
}
