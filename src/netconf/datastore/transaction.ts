import type { StoredNetconfNames } from '../../../schemas/generated/validators.js';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import type { EndpointRef } from '../../manager/certificate-client.ts';
import type { EdgeEndpoints } from '../../manager/edge-endpoints.ts';
import type { StateFile } from '../../storage/state-file.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import { certError } from './cert-errors.ts';
import { errorPath } from './data-path.ts';
import { withFurtherNames, withNames } from './names.ts';
import type { Plan, PlannedPart } from './plan.ts';

export interface TransactionOptions {
  readonly endpoints: EdgeEndpoints;
  readonly names: StateFile<StoredNetconfNames>;
  readonly log: Log;
}

/**
 * Puts a plan into service, all of it or nothing: staged at the manager, activated, and committed when the names of its
 * certificates are on the disk.
 * @param signal undoes it where it is aborted before the commit
 * @throws RpcError; nothing has changed then, unless the message says otherwise
 */
export async function carryOut(
  { parts, names: changed }: Plan,
  options: TransactionOptions,
  signal: AbortSignal,
): Promise<void> {
  const { endpoints, names } = options;
  const rememberFurther = () => names.change((stored) => withFurtherNames(stored, changed));
  if (parts.length > 0) await replace(parts, rememberFurther, options, signal);
  if (changed.length === 0) return;
  // The manager may have gone since: nothing is forgotten then
  const isThere = (one: EndpointRef) => !endpoints.isAvailable || endpoints.find(one) !== undefined;
  await names.change((stored) => withNames(stored, changed, isThere));
}

/** @param remember writes what must be on the disk before the commit */
async function replace(
  parts: readonly PlannedPart[],
  remember: () => Promise<unknown>,
  { endpoints, log }: TransactionOptions,
  signal: AbortSignal,
): Promise<void> {
  let isCommitting = false;
  let replacement: string | undefined;
  try {
    const staged = parts.map(({ endpoint, content }) => ({
      ...{ endpoint, content },
      create: endpoints.find(endpoint) === undefined,
    }));
    replacement = await endpoints.stage(staged);
    for (const part of parts) mustBeAsPlanned(part, endpoints);
    await remember();
    mustGoOn(signal);
    await endpoints.activate(replacement);
    mustGoOn(signal);
    isCommitting = true;
    await endpoints.commit(replacement);
  } catch (error) {
    const isUndone = replacement !== undefined && (await undo(replacement, endpoints, log));
    if (!(error instanceof CertError)) throw error;
    if (isCommitting && !isUndone) throw outcomeUnknown(error);
    const [only, ...others] = parts;
    throw certError(error, others.length === 0 ? only?.path : undefined);
  }
}

/** What others changed between the look at it and the moment from which they are kept out would be lost. */
function mustBeAsPlanned({ endpoint, before, path }: PlannedPart, endpoints: EdgeEndpoints): void {
  const held = endpoints.find(endpoint)?.certificates ?? [];
  const now = held.flatMap(({ certificate, chain }) => [certificate, ...chain]);
  const isSame =
    now.length === before.length &&
    now.every(({ fingerprint }) => before.some((one) => one.fingerprint === fingerprint));
  if (isSame) return;
  const message = 'it was changed in another way at the same time: read it, and try again';
  throw new RpcError('in-use', message, { type: 'application', path: errorPath(path) });
}

function mustGoOn(signal: AbortSignal): void {
  if (signal.aborted) throw new RpcError('operation-failed', 'the session ended; nothing changed');
}

/** @returns whether all is as it was; otherwise the manager does it in time, or has committed the change */
async function undo(replacement: string, endpoints: EdgeEndpoints, log: Log): Promise<boolean> {
  try {
    await endpoints.rollback(replacement);
    return true;
  } catch (error) {
    if (!(error instanceof CertError && error.code === 'not-found'))
      log.warn('edit is undone in time only', { reason: reasonOf(error) });
    return false;
  }
}

function outcomeUnknown(error: CertError): RpcError {
  const message = `${error.code}: ${error.message}; whether the edit is in force is not known: read the configuration`;
  return new RpcError('operation-failed', message, { type: 'application', cause: error });
}
