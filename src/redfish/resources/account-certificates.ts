import { IdentityError } from '../../identity/identity-error.ts';
import type {
  AccountCertificate,
  AccountCertificates,
} from '../../identity/peer-certificates/account-certificates.ts';
import { forgetCertificates } from '../../identity/peer-certificates/forget.ts';
import { openUpload, parseUpload } from '../../manager/upload.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { formOf } from '../../x509/content-form.ts';
import type { Access } from '../access.ts';
import { asRedfish } from '../certificates/errors.ts';
import { submittedContent } from '../certificates/submitted.ts';
import { certificateView, type ViewParts } from '../certificates/view.ts';
import { accountUri } from '../http/authentication.ts';
import { mayUse } from '../http/privileges.ts';
import type { RequestBody } from '../http/request-body.ts';
import { memberError, notFound, RedfishError } from '../messages/redfish-error.ts';
import {
  collectionView,
  creatable,
  get,
  type Operation,
  type Reply,
  type RequestContext,
  type Resource,
} from '../resource.ts';
import { visible } from './accounts.ts';

interface AccountCertificateParts extends ViewParts {
  readonly access: Access;
}

/**
 * The certificates of each account (DMTF ManagerAccount), by which its user is known under the mapping
 * `Whole`: users change their own certificates, users who may configure users those of all.
 */
export function accountCertificates(parts: AccountCertificateParts): readonly Resource[] {
  const { accountCertificates: kept } = parts.access;
  return kept ? [...collection(parts, kept), certificate(parts, kept)] : [];
}

const path = '/redfish/v1/AccountService/Accounts/:name/Certificates';

function collection(
  parts: AccountCertificateParts,
  kept: AccountCertificates,
): readonly Resource[] {
  const { access } = parts;
  const GET = get(async (context) => {
    const { userName } = await visible(access, context);
    const uri = collectionUri(userName);
    return collectionView(
      uri,
      'CertificateCollection',
      ['User Certificates Collection', 'Certificates by which the user of the account is known'],
      kept.of(userName).map(({ id }) => `${uri}/${id}`),
    );
  });
  const POST: Operation = {
    async handle(context) {
      const { userName } = await visible(access, context);
      const submitted = await asRedfish({}, () =>
        certificateOf(context.body, collectionUri(userName), kept),
      );
      if (!(await isKeptHere(parts, userName))) {
        throw new IdentityError('read-only', userName, 'This user is kept elsewhere');
      }
      const isThere = async () => {
        await context.stillMay();
        tellOwner(kept, submitted, context);
        return isKeptHere(parts, userName);
      };
      return viewReply(parts, await kept.add(userName, submitted, isThere), 201);
    },
  };
  return creatable({ path, entity: 'AccountCertificateCollection', operations: { GET } }, POST);
}

function certificate(parts: AccountCertificateParts, kept: AccountCertificates): Resource {
  const { access } = parts;
  return {
    path: `${path}/:id`,
    entity: 'AccountCertificate',
    operations: {
      GET: {
        handle: async (context) => viewReply(parts, await find(parts, kept, context), 200),
      },
      DELETE: {
        async handle(context) {
          const found = await find(parts, kept, context);
          await forgetCertificates(access, context.identity, (one) => one === found);
          return { status: 204 };
        },
      },
    },
  };
}

/** @throws RedfishError 403 for another's, whether it is there or not; 404 */
async function find(
  { access }: AccountCertificateParts,
  kept: AccountCertificates,
  context: RequestContext,
): Promise<AccountCertificate> {
  const { userName } = await visible(access, context);
  const { id = '' } = context.parameters;
  const found = kept.of(userName).find((one) => one.id === id);
  if (found) return found;
  throw notFound('Certificate', id);
}

/**
 * Any user can have added it, for no user has to show the key. Users who may see all accounts are told which account
 * has it.
 * @throws RedfishError 409
 */
function tellOwner(
  kept: AccountCertificates,
  submitted: Certificate,
  { identity }: RequestContext,
): void {
  const owner = kept.ownerOf(submitted);
  if (owner === undefined || !mayUse(identity, 'ConfigureUsers')) return;
  const args = ['Certificate', 'CertificateString', 'as submitted'];
  const detail = `The certificate belongs to the account ${owner}; delete it there if that is not right`;
  throw new RedfishError(409, { id: 'ResourceAlreadyExists', args, detail });
}

/** The service hears nothing of the removal of a user who is kept elsewhere. */
async function isKeptHere({ access }: AccountCertificateParts, name: string): Promise<boolean> {
  return (await access.users.list()).some(({ userName }) => userName === name);
}

const withoutKey = 'A certificate of an account comes without a key';

/**
 * The one certificate of a body, which brings no key: what opens keys takes long and has no use here.
 * @throws RedfishError 400; CertError for a body that is no certificate
 */
function certificateOf(
  body: RequestBody,
  uri: string,
  { limits }: AccountCertificates,
): Certificate {
  const { content } = submittedContent(body, { uri });
  if (content.format === 'PKCS12' || formOf(content.bytes) === 'PKCS12') {
    const args = ['PKCS12', 'CertificateType'];
    throw memberError(400, 'PropertyValueNotInList', args, 'CertificateType', withoutKey);
  }
  const upload = { ...content, password: '' };
  const blocks = openUpload(upload, limits.accountCertificateBytes, limits.content);
  const { certificates, keyBlocks } = parseUpload(blocks, 1, limits.content);
  const [submitted] = certificates;
  if (keyBlocks.length === 0 && submitted) return submitted;
  const name = 'CertificateString';
  throw memberError(400, 'PropertyValueError', [name], name, withoutKey);
}

function collectionUri(userName: string): string {
  return `${accountUri(userName)}/Certificates`;
}

function viewReply(
  parts: AccountCertificateParts,
  { id, userName, certificate: own }: AccountCertificate,
  status: number,
): Reply {
  const collection = {
    uri: collectionUri(userName),
    certificateName: 'User Certificate',
    usageTypes: ['User'],
  };
  const body = certificateView(parts, collection, { id, certificate: own, chain: [] });
  return { status, body, headers: { Location: body['@odata.id'] } };
}
