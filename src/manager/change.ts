import { CertError } from './errors.ts';

/**
 * One change of an endpoint. The order of its steps is the manager's promise: a failure, or a power
 * cut, at any of them leaves the old state or the new one, complete.
 */
export interface Change<Plan> {
  /** Checks all of the input and answers what is to be done; touches nothing. */
  validate(): Promise<Plan>;
  /** Writes aside, syncs and switches; when it rejects, the old state is still in place. */
  write(plan: Plan): Promise<void>;
  /** Makes the new state known: memory first, then the listeners. */
  publish(plan: Plan): void;
}

export type Changer = <Plan>(change: Change<Plan>) => Promise<Plan>;

/**
 * Runs changes one after another in the order of the calls: validate, write, publish, reload.
 * @param reload never rejects; a service that could not be told makes no done change undone
 */
export function makeChanger(reload: () => Promise<void>): Changer {
  let last: Promise<unknown> = Promise.resolve();
  return (change) => {
    const turn = last.then(() => run(change, reload));
    last = turn.catch(() => undefined);
    return turn;
  };
}

async function run<Plan>(change: Change<Plan>, reload: () => Promise<void>): Promise<Plan> {
  const plan = await change.validate().catch(asStorageError);
  await change.write(plan).catch(asStorageError);
  change.publish(plan);
  await reload();
  return plan;
}

/** A failure of the file system; anything else that is not ours is a bug and stays what it is. */
export function asStorageError(cause: unknown): never {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (!/^E[A-Z0-9]+$/.test(code)) throw cause;
  const message = `it could not be written (${code}); nothing changed`;
  throw new CertError('storage', message, { cause });
}
