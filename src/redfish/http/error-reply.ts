import type { Request } from 'express';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { identityAnswer } from '../identity-errors.ts';
import { renderErrors } from '../messages/base-registry.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import type { Reply } from '../resource.ts';
import { storageAnswer } from './storage-answer.ts';

/** The answer to whatever was thrown; only what the service is to blame for is logged. */
export function errorReply(log: Log, error: unknown, { method, path }: Request): Reply {
  const known = asRedfishError(error);
  const { status, headers, messages } = known;
  const fields = { method, path, status, reason: describeCause(error) };
  // Many clients at once are no fault, and their lines must not take the place of those that tell of one
  if (status === 503) log.warn('request put off', fields);
  else if (status >= 500 && !isUnsupported(known)) log.error('request failed', fields);
  return { status, headers, body: renderErrors(messages) };
}

/** What the client asked for, and not how the service is, decides it. */
function isUnsupported({ status, messages }: RedfishError): boolean {
  return status === 501 || messages[0]?.id === 'QueryParameterOutOfRange';
}

/** Everything unknown is a bug, and no client learns more of it. */
export function asRedfishError(error: unknown): RedfishError {
  if (error instanceof RedfishError) return error;
  return (
    identityAnswer(error) ??
    storageAnswer(error) ??
    new RedfishError(500, { id: 'InternalError', args: [] })
  );
}

function describeCause(error: unknown): string {
  if (error instanceof RedfishError) {
    const told = error.messages.map(({ id, detail }) => detail ?? id).join('; ');
    return error.cause === undefined ? told : `${told}: ${reasonOf(error.cause)}`;
  }
  return error instanceof Error ? `${error.name}: ${error.message}` : 'not an error';
}
