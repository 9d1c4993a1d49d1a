import {
  type OemStage,
  validateOemActivate,
  validateOemCommit,
  validateOemRollback,
  validateOemStage,
} from '../../../schemas/generated/validators.js';
import type { Identity } from '../../identity/identity.ts';
import type { EndpointRef } from '../../manager/certificate-client.ts';
import { pemContent } from '../../x509/containers.ts';
import {
  type ChangeParts,
  type ListChange,
  lockout,
  withLockoutGuard,
} from '../certificates/changes.ts';
import {
  type CertificateCollection,
  canonicalCollection,
  findCertificate,
} from '../certificates/collections.ts';
import { asRedfish } from '../certificates/errors.ts';
import { badReference } from '../certificates/references.ts';
import type { ServedCertificate } from '../certificates/served.ts';
import { contentOf, type Submission, submittedBundle } from '../certificates/submitted.ts';
import { notFound, RedfishError } from '../messages/redfish-error.ts';
import { replacementView } from '../oem/collection-view.ts';
import { oemName } from '../oem/declaration.ts';
import {
  namedCollection,
  type OemParts,
  offeredEndpoints,
  offeredStatus,
  refuseUnoffered,
  unofferedAction,
} from '../oem/offered.ts';
import { json, type Operation, type Reply } from '../resource.ts';

export interface ReplacementParts extends OemParts, ChangeParts {
  readonly served: Pick<ServedCertificate, 'refresh'>;
}

/**
 * A change that undoes itself, in the steps of the manager: it belongs to the user of the service on the bus, so
 * that it outlives the connection of the client, and every client that may configure the manager may go on with it.
 */
export function stage(parts: ReplacementParts): Operation {
  const action = `${oemName}.Stage`;
  return {
    upload: true,
    async handle(context) {
      refuseUnoffered(parts, () => unofferedAction(action));
      const references = ['CertificateUri', 'Certificates', 'Authorities'];
      const body = context.body.parse(validateOemStage, { action, references });
      const collection = await stagedCollection(parts, body, action);
      await offeredStatus(parts, collection, action);
      const wanted = {
        collection,
        submission: submittedBundle(contentOf(body), parts, context.identity),
        authorities: authoritiesOf(parts, body, action, context.identity),
        seconds: body.Seconds,
      };
      const id = await asRedfish({ action }, () => stageGuarded(parts, context.identity, wanted));
      return stateReply(parts, id, 'Staged');
    },
  };
}

interface Wanted {
  readonly collection: CertificateCollection;
  readonly submission: Submission;
  /** What goes into service together with it. */
  readonly authorities: Omit<Wanted, 'authorities' | 'seconds'> | undefined;
  readonly seconds: number;
}

/** @returns the name of the replacement. @throws RedfishError 409, CertError */
function stageGuarded(
  parts: ReplacementParts,
  identity: Identity | undefined,
  { collection: { endpoint }, submission, authorities, seconds }: Wanted,
): Promise<string> {
  const truststore = authorities && {
    endpoint: authorities.collection.endpoint,
    bundle: authorities.submission.content,
  };
  const lists = [
    wholeList(parts, endpoint, submission),
    ...(truststore ? [wholeList(parts, truststore.endpoint, authorities.submission)] : []),
  ];
  const name = endpoint.type === 'authority' ? 'CertificateString' : 'AuthoritiesString';
  const refused = () => lockout('ActionParameterValueConflict', name, 'as submitted');
  const { content } = submission;
  return withLockoutGuard(parts, identity, { changes: lists, refused }, () =>
    parts.administration.stage(endpoint, {
      ...{ content, seconds },
      ...(truststore && { truststore }),
    }),
  );
}

export function activate(parts: ReplacementParts): Operation {
  const action = `${oemName}.Activate`;
  return {
    async handle(context) {
      refuseUnoffered(parts, () => unofferedAction(action));
      const { Replacement: id, Seconds } = context.body.parse(validateOemActivate, { action });
      const { endpoint } = placeOf(parts, id, ['Staged']);
      await asRedfish({ action, type: 'Replacement', id }, () =>
        parts.administration.activate(endpoint, Seconds, id),
      );
      await parts.served.refresh();
      return stateReply(parts, id, 'Active');
    },
  };
}

export function commit(parts: ReplacementParts): Operation {
  const action = `${oemName}.Commit`;
  return {
    async handle(context) {
      refuseUnoffered(parts, () => unofferedAction(action));
      const { Replacement: id } = context.body.parse(validateOemCommit, { action });
      const { endpoint } = placeOf(parts, id, ['Active']);
      await asRedfish({ action, type: 'Replacement', id }, () =>
        parts.administration.commit(endpoint, id),
      );
      return { status: 204 };
    },
  };
}

export function rollback(parts: ReplacementParts): Operation {
  const action = `${oemName}.Rollback`;
  return {
    async handle(context) {
      refuseUnoffered(parts, () => unofferedAction(action));
      const { Replacement: id } = context.body.parse(validateOemRollback, { action });
      const { endpoint } = placeOf(parts, id, ['Staged', 'Active']);
      await asRedfish({ action, type: 'Replacement', id }, () =>
        parts.administration.rollback(endpoint, id),
      );
      await parts.served.refresh();
      return { status: 204 };
    },
  };
}

/** @throws RedfishError 400, 404 */
async function stagedCollection(
  parts: ReplacementParts,
  { CertificateUri, Certificates }: OemStage,
  action: string,
): Promise<CertificateCollection> {
  if (Certificates && CertificateUri) {
    const detail = 'CertificateUri names the certificate already';
    const args = ['Certificates', action];
    throw new RedfishError(400, { id: 'ActionParameterNotSupported', args, detail });
  }
  if (Certificates)
    return namedCollection(parts, 'Certificates', Certificates['@odata.id'], action);
  if (!CertificateUri)
    throw new RedfishError(400, { id: 'ActionParameterMissing', args: [action, 'CertificateUri'] });
  const reference = CertificateUri['@odata.id'];
  const found = findCertificate(parts.collections(), reference);
  if (!found || found.collection.endpoint.type === 'authority') {
    const fault = found
      ? 'in a truststore, which is replaced as a whole: name it in Certificates'
      : 'no certificate of this service';
    throw badReference('CertificateUri', reference, action, fault);
  }
  const { collection, id } = found;
  await asRedfish({ action, id }, () => void parts.client.get(collection.endpoint, id));
  return collection;
}

/** @throws RedfishError 400 */
function authoritiesOf(
  parts: ReplacementParts,
  { Authorities, AuthoritiesString }: OemStage,
  action: string,
  identity: Identity | undefined,
) {
  if (AuthoritiesString === undefined) return undefined;
  const reference = Authorities?.['@odata.id'];
  const truststore = { type: 'authority', name: 'truststore' } as const;
  const collection =
    reference === undefined
      ? canonicalCollection(parts.collections(), truststore)
      : namedCollection(parts, 'Authorities', reference, action);
  if (collection?.endpoint.type !== 'authority') {
    const fault = 'no collection of authorities';
    throw badReference('Authorities', reference ?? '/', action, fault);
  }
  const content = pemContent(AuthoritiesString);
  return { collection, submission: submittedBundle(content, parts, identity) };
}

/** Everything in the list of an endpoint gives way to what was submitted. */
export function wholeList(
  { client }: Pick<ReplacementParts, 'client'>,
  endpoint: EndpointRef,
  adds: Submission,
): ListChange {
  return { endpoint, removes: client.list(endpoint).map(({ id }) => id), adds };
}

/**
 * A collection whose manager knows the replacement.
 * @param states in which it can do what is asked for
 * @throws RedfishError 404, 409
 */
function placeOf(
  parts: ReplacementParts,
  id: string,
  states: readonly string[],
): CertificateCollection {
  const found = offeredEndpoints(parts).find(({ status }) => status.replacement.id === id);
  if (!found) throw notFound('Replacement', id);
  const { state } = found.status.replacement;
  if (states.includes(state)) return found.collection;
  const detail = `the replacement is ${state}, and not ${states.join(' or ')}`;
  const args = ['Replacement', id];
  throw new RedfishError(409, { id: 'ActionParameterValueConflict', args, detail });
}

/** @param state that it has reached, even if it is over already */
function stateReply(parts: ReplacementParts, id: string, state: 'Staged' | 'Active'): Reply {
  const found = offeredEndpoints(parts).find(({ status }) => status.replacement.id === id);
  const deadline = found?.status.replacement.deadline;
  return json(replacementView({ id, state, deadline }));
}
