import { RedfishError } from '../messages/redfish-error.ts';

/** The conditional headers of a request (RFC 9110 §13.1). */
export interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

export function conditionsOf(header: (name: string) => string | undefined): Conditions {
  return { ifMatch: header('If-Match'), ifNoneMatch: header('If-None-Match') };
}

export function isConditional({ ifMatch, ifNoneMatch }: Conditions): boolean {
  return ifMatch !== undefined || ifNoneMatch !== undefined;
}

/**
 * Whether a client has this very representation already.
 * @throws RedfishError 412 when it wants another one
 */
export function isUnchanged({ ifMatch, ifNoneMatch }: Conditions, tag: string): boolean {
  if (ifMatch !== undefined && !matches(ifMatch, tag, false)) throw preconditionFailed();
  return ifNoneMatch !== undefined && matches(ifNoneMatch, tag, true);
}

/**
 * @param tag of the resource that is to be changed, for an action of the resource that lists it; `undefined`
 *   for what has no representation, such as OpenBMC's old REST paths: it exists all the same, so it passes
 *   `If-Match: *`
 * @throws RedfishError 412 before anything is changed
 */
export function checkBeforeChange({ ifMatch, ifNoneMatch }: Conditions, tag?: string): void {
  if (ifMatch !== undefined && !matches(ifMatch, tag, false)) throw preconditionFailed();
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, tag, true)) throw preconditionFailed();
}

export function preconditionFailed(detail?: string): RedfishError {
  const id = 'PreconditionFailed';
  return new RedfishError(412, { id, args: [], ...(detail !== undefined && { detail }) });
}

/** RFC 9110 §8.8.3: entity tags with commas between them. */
const entityTags = /^\s*(?:(?:W\/)?"[^"]*"\s*(?:,\s*|$))+$/;

/** RFC 9110 §8.8.3.2: a weak tag equals none in the strong comparison that If-Match asks for. */
function matches(header: string, tag: string | undefined, weak: boolean): boolean {
  if (header.trim() === '*') return true;
  if (tag === undefined) return false;
  // A list that is none matches nothing, so that no change goes through on it
  if (!entityTags.test(header)) return false;
  const listed = header.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return listed.some((one) => (weak ? one.replace(/^W\//, '') : one) === tag);
}
