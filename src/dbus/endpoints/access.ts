import type { EndpointType } from '../../manager/endpoint-definition.ts';
import {
  type AuthorizeCaller,
  authorizeCaller,
  type CallerPolicy,
} from '../server/caller-policy.ts';
import type { Callers } from '../transport/bus-driver.ts';

/** What may be done to an endpoint of run time. To change it is also to add, stage and remove it, and to make keys. */
export type EndpointOperation = 'change' | 'sign';

/** What some users may do. */
export interface EndpointRule {
  readonly callers: CallerPolicy;
  /** Patterns of `type/id`, in which a star stands for anything; `!` before one leaves out what it fits. */
  readonly endpoints: readonly string[];
  readonly operations: readonly EndpointOperation[];
  /** Those that they may bind to these endpoints. */
  readonly services: readonly string[];
}

export interface EndpointRules {
  /** Who may do everything. */
  readonly administrators: CallerPolicy;
  readonly rules: readonly EndpointRule[];
}

interface EndpointId {
  readonly type: EndpointType;
  readonly name: string;
}

/** Who may change an endpoint, or sign with its keys. */
export function policyFor(
  { administrators, rules }: EndpointRules,
  operation: EndpointOperation,
  endpoint: EndpointId,
): CallerPolicy {
  const fitting = rules.filter(
    (one) => one.operations.includes(operation) && covers(one, endpoint),
  );
  return union([administrators, ...fitting.map(({ callers }) => callers)]);
}

/** Who may bind a service to an endpoint, and unbind it from there. */
export function policyForBinding(
  { administrators, rules }: EndpointRules,
  service: string,
  endpoint: EndpointId,
): CallerPolicy {
  const fitting = rules.filter((one) => one.services.includes(service) && covers(one, endpoint));
  return union([administrators, ...fitting.map(({ callers }) => callers)]);
}

/** Who may do anything at all. */
export function policyForAny({ administrators, rules }: EndpointRules): CallerPolicy {
  return union([administrators, ...rules.map(({ callers }) => callers)]);
}

/** Checks a caller against a policy of these. @throws CertError `access-denied` */
export type CheckCaller = (caller: string, policy: CallerPolicy) => ReturnType<AuthorizeCaller>;

export function callerCheck(callers: Pick<Callers, 'credentials'>): CheckCaller {
  return (caller, policy) => authorizeCaller(callers, policy, 'do this to the endpoint')(caller);
}

function covers({ endpoints }: EndpointRule, endpoint: EndpointId): boolean {
  const leftOut = endpoints.filter((one) => one.startsWith('!')).map((one) => one.slice(1));
  return (
    endpoints.some((pattern) => fits(pattern, endpoint)) &&
    !leftOut.some((pattern) => fits(pattern, endpoint))
  );
}

function fits(pattern: string, { type, name }: EndpointId): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.\\^$+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(`${type}/${name}`);
}

function union(policies: readonly CallerPolicy[]): CallerPolicy {
  return {
    users: policies.flatMap(({ users }) => users),
    groups: policies.flatMap(({ groups }) => groups),
  };
}
