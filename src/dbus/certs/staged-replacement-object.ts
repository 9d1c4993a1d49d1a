import { CertError } from '../../core/cert-error.ts';
import type { Endpoint } from '../../manager/endpoint.ts';
import { authorizeCaller } from '../server/caller-policy.ts';
import {
  type Caller,
  type Implementation,
  type ServedInterface,
  serve,
} from '../server/interface.ts';
import { openInputs } from './content.ts';
import { enumName, replacementInterface } from './extension-interfaces.ts';
import type { PublishedEndpoint } from './published-endpoint.ts';

const stateNames = { none: 'None', staged: 'Staged', active: 'Active' } as const;

/** Changes in two phases, on the manager object of an endpoint. */
export function stagedReplacementObject(published: PublishedEndpoint): ServedInterface {
  const { endpoint, replacements } = published;
  const find = (replacement: string, caller: Caller) =>
    replacements.find(replacement, endpoint.definition, ownersOf(caller));
  return serve(replacementInterface, {
    properties: {
      State: () =>
        enumName(
          replacementInterface,
          'State',
          stateNames[replacements.stateOf(endpoint.definition)],
        ),
      Id: () => replacements.idOf(endpoint.definition),
      Deadline: () => BigInt(Math.floor(replacements.deadlineOf(endpoint.definition) / 1000)),
    },
    methods: {
      Stage: (inputs, caller) => stage(published, inputs, caller),
      async Detach({ Replacement }, caller) {
        const { owner, id } = find(Replacement, caller);
        await replacements.handOver(owner, id, userOwner(caller));
      },
      async Activate({ Replacement, Seconds }, caller) {
        const { owner, id } = find(Replacement, caller);
        await replacements.activate(owner, id, Seconds);
      },
      async Commit({ Replacement }, caller) {
        const { owner, id } = find(Replacement, caller);
        await replacements.commit(owner, id);
      },
      async Rollback({ Replacement }, caller) {
        const { owner, id } = find(Replacement, caller);
        await replacements.rollback(owner, id);
      },
    },
  });
}

type StageInputs = Parameters<Implementation<typeof replacementInterface>['methods']['Stage']>[0];

/** @returns the id of the replacement */
async function stage(
  published: PublishedEndpoint,
  inputs: StageInputs,
  caller: Caller,
): Promise<string> {
  const { name } = caller;
  const { endpoint, replacements, findEndpoint, callers } = published;
  const { Truststore, Bundle, BundleFormat, Seconds } = inputs;
  const other = Truststore === '' ? undefined : await truststoreAt(published, Truststore, name);
  const parts = [{ endpoint, content: openInputs(inputs, published, caller, endpoint.definition) }];
  if (other) {
    const bundle = { Content: Bundle, Format: BundleFormat, Password: '' };
    parts.push({
      endpoint: other,
      content: openInputs(bundle, published, caller, other.definition),
    });
  }
  const replacement = await replacements.stage(name, parts, Seconds);
  // A caller that left before the replacement had a name was not known as its owner
  const present = await callers.isConnected(name).catch(() => false);
  if (!present) await replacements.ownerLeft(name);
  // A truststore may have left before the replacement could be undone for that
  if (other && findEndpoint(Truststore)?.endpoint !== other) {
    await replacements.endpointLeaves(other.definition);
    throw new CertError('unavailable', 'the truststore is not served any more');
  }
  return replacement;
}

async function truststoreAt(
  { endpoint, findEndpoint, callers }: PublishedEndpoint,
  path: string,
  caller: string,
): Promise<Endpoint> {
  const found = findEndpoint(path);
  if (found?.endpoint.definition.type !== 'authority' || found.endpoint === endpoint)
    throw new CertError('argument-invalid', 'Truststore is not the path of another truststore');
  // The policy of the bus does not see which truststore a call means
  await authorizeCaller(callers, found.access)(caller);
  return found.endpoint;
}

/** Under which a caller may own a replacement: the connection, and what `Detach` makes the owner. */
export function ownersOf(caller: Caller): readonly string[] {
  return [caller.name, userOwner(caller)];
}

/** The owner of what is detached. No connection is called so, and no user is unknown who may call. */
export function userOwner({ user }: Caller): string {
  return `user ${user}`;
}
