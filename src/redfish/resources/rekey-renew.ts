import { validateRekey, validateRenew } from '../../../schemas/generated/validators.js';
import type { CertificateClient } from '../../manager/certificate-client.ts';
import { withAbsent } from '../../manager/csr/parameters.ts';
import type { KeyParameters } from '../../manager/csr/plan.ts';
import type { CertificateCollection } from '../certificates/collections.ts';
import { asRedfish } from '../certificates/errors.ts';
import { infoOf } from '../certificates/findings.ts';
import { curveInfo, refuseUnservable } from '../certificates/key-choice.ts';
import type { Place } from '../certificates/places.ts';
import { type SuccessorAction, successorActions } from '../certificates/rekey-renew.ts';
import { answerRequest, type CsrSources, type RequestWork } from '../certificates/requests.ts';
import type { RequestBody } from '../http/request-body.ts';
import { link, type Resource } from '../resource.ts';
import { actionInfo } from './action-infos.ts';

export interface SuccessorParts extends Pick<CsrSources, 'tasks'> {
  readonly client: CertificateClient;
}

/** The actions Rekey and Renew of a certificate whose key is on the device, with their ActionInfo. */
export function successorResources(parts: SuccessorParts, place: Place): readonly Resource[] {
  return successorActions.flatMap((name) => [
    successorAction(parts, place, name),
    actionInfo(`${place.path}/:id/${name}ActionInfo`, name, (context) => {
      const { id = '' } = context.parameters;
      const { endpoint } = place.at(context);
      return asRedfish({ id }, () => void parts.client.get(endpoint, id));
    }),
  ]);
}

function successorAction(parts: SuccessorParts, place: Place, name: SuccessorAction): Resource {
  const action = `Certificate.${name}`;
  return {
    path: `${place.path}/:id/Actions/${action}`,
    entity: 'Certificate',
    operations: {
      POST: {
        async handle(context) {
          const { id = '' } = context.parameters;
          const collection = place.at(context);
          const { certificate } = await asRedfish({ id }, () =>
            parts.client.get(collection.endpoint, id),
          );
          const { key, ...work } = readWork[name](parts, collection, id, context.body, action);
          return answerRequest(parts, context, {
            action,
            collection,
            ...work,
            extraMembers: {
              Certificate: link(`${collection.uri}/${id}`),
              ...infoOf(curveInfo(collection, key, certificate.publicKey)),
            },
          });
        },
      },
    },
  };
}

type ReadWork = (
  parts: SuccessorParts,
  collection: CertificateCollection,
  id: string,
  body: RequestBody,
  action: string,
) => Pick<RequestWork, 'make' | 'parameters'> & { readonly key: KeyParameters };

/** Reads the parameters, all of which may be left out, and answers what is to be done with them. */
const readWork: Record<SuccessorAction, ReadWork> = {
  Rekey({ client }, collection, id, body, action) {
    const parameters = body.parse(validateRekey, { action, optional: true });
    refuseUnservable(collection, parameters, action);
    const key = { ...parameters, KeyBitLength: BigInt(parameters.KeyBitLength) };
    return {
      key,
      parameters: { ...parameters },
      make: () => client.rekey(collection.endpoint, id, key),
    };
  },
  Renew({ client }, { endpoint }, id, body, action) {
    const { ChallengePassword } = body.parse(validateRenew, { action, optional: true });
    return {
      key: withAbsent({}),
      parameters: {},
      make: () => client.renew(endpoint, id, ChallengePassword),
    };
  },
};
