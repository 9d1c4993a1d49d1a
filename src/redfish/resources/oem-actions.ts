import {
  validateOemDiscardRequest,
  validateOemReload,
  validateOemReplaceAll,
} from '../../../schemas/generated/validators.js';
import { lockout, withLockoutGuard } from '../certificates/changes.ts';
import { asRedfish } from '../certificates/errors.ts';
import { extendedInfo, type FindingParts } from '../certificates/findings.ts';
import type { Place } from '../certificates/places.ts';
import { contentOf, submittedBundle } from '../certificates/submitted.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { replaceAllInfo, replaceAllUri } from '../oem/collection-view.ts';
import { oemName, serviceActions } from '../oem/declaration.ts';
import {
  namedCollection,
  type OemParts,
  offeredEndpoints,
  offeredStatus,
  refuseUnoffered,
  unofferedAction,
} from '../oem/offered.ts';
import type { Operation, RequestContext, Resource } from '../resource.ts';
import { json } from '../resource.ts';
import { oemActionInfo } from './action-infos.ts';
import {
  activate,
  commit,
  type ReplacementParts,
  rollback,
  stage,
  wholeList,
} from './staged-replacements.ts';

const service = '/redfish/v1/CertificateService';
const stageInfo = `${service}/StageActionInfo`;

const operations = {
  Stage: stage,
  Activate: activate,
  Commit: commit,
  Rollback: rollback,
  DiscardRequest: discardRequest,
  Reload: reload,
} as const satisfies Record<keyof typeof serviceActions, (parts: ReplacementParts) => Operation>;

/** Actions of ours at the CertificateService, for what the bus can do and Redfish has no action for. */
export function oemServiceActions(parts: ReplacementParts): readonly Resource[] {
  const precondition = ({ uri }: RequestContext) =>
    refuseUnoffered(
      parts,
      () => new RedfishError(404, { id: 'ResourceMissingAtURI', args: [uri] }),
    );
  return [
    ...Object.entries(operations).map(
      ([name, make]): Resource => ({
        path: targetOf(name),
        entity: 'CertificateService',
        operations: { POST: make(parts) },
      }),
    ),
    oemActionInfo(stageInfo, 'Stage', precondition),
    oemActionInfo(replaceAllInfo, 'ReplaceAll', precondition),
  ];
}

/** `Actions.Oem` of the CertificateService; nothing where no manager offers them. */
export function oemActionsView(parts: OemParts): object {
  if (offeredEndpoints(parts).length === 0) return {};
  const actions = Object.keys(serviceActions).map((name) => {
    const info = name === 'Stage' ? { '@Redfish.ActionInfo': stageInfo } : {};
    return [`#${oemName}.${name}`, { target: targetOf(name), ...info }];
  });
  return { Oem: Object.fromEntries(actions) };
}

function targetOf(name: string): string {
  return `${service}/Actions/Oem/${oemName}.${name}`;
}

function discardRequest(parts: ReplacementParts): Operation {
  const action = `${oemName}.DiscardRequest`;
  return {
    async handle(context) {
      refuseUnoffered(parts, () => unofferedAction(action));
      const options = { action, references: ['Certificates'] };
      const { Id: id, Certificates } = context.body.parse(validateOemDiscardRequest, options);
      const reference = Certificates['@odata.id'];
      const collection = namedCollection(parts, 'Certificates', reference, action);
      await offeredStatus(parts, collection, action);
      await asRedfish({ action, type: 'CertificateSigningRequest', id }, () =>
        parts.administration.discard(collection.endpoint, id),
      );
      return { status: 204 };
    },
  };
}

function reload(parts: ReplacementParts): Operation {
  const action = `${oemName}.Reload`;
  return {
    async handle(context) {
      refuseUnoffered(parts, () => unofferedAction(action));
      const options = { action, references: ['Certificates'] };
      const { Certificates } = context.body.parse(validateOemReload, options);
      const reference = Certificates['@odata.id'];
      const collection = namedCollection(parts, 'Certificates', reference, action);
      await offeredStatus(parts, collection, action);
      await asRedfish({ action }, () => parts.administration.reload(collection.endpoint));
      return { status: 204 };
    },
  };
}

/** The action of the collection of a truststore. @param view the collection as GET shows it */
export function replaceAllResource(
  parts: ReplacementParts & FindingParts,
  place: Place,
  view: (context: RequestContext) => Promise<object>,
): Resource {
  const action = `${oemName}.ReplaceAll`;
  return {
    path: replaceAllUri(place.path),
    entity: 'CertificateCollection',
    operations: {
      POST: {
        upload: true,
        async handle(context) {
          const collection = place.at(context);
          await offeredStatus(parts, collection, action);
          const body = context.body.parse(validateOemReplaceAll, { action });
          const submission = submittedBundle(contentOf(body), parts, context.identity);
          const { endpoint } = collection;
          const refused = () =>
            lockout('ActionParameterValueConflict', 'CertificateString', 'as submitted');
          const published = await asRedfish({ action }, () => {
            const changes = [wholeList(parts, endpoint, submission)];
            return withLockoutGuard(parts, context.identity, { changes, refused }, () =>
              parts.administration.replaceAll(endpoint, submission.content),
            );
          });
          await parts.served.refresh();
          const info = extendedInfo(parts, endpoint, published);
          return json({ ...(await view(context)), ...info });
        },
      },
    },
  };
}
