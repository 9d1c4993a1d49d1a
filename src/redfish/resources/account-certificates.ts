import { IdentityError } from '../../identity/identity-error.ts';
import type {
  AccountCertificate,
  AccountCertificates,
} from '../../identity/peer-certificates/account-certificates.ts';
import { forgetCertificates } from '../../identity/peer-certificates/forget.ts';
import { hasPrivilege } from '../../identity/roles.ts';
import { openUpload, parseUpload } from '../../manager/upload.ts';
import type { Certificate } from '../../x509/certificate.ts';
import type { Access } from '../access.ts';
import { asRedfish } from '../certificates/errors.ts';
import { submittedContent } from '../certificates/submitted.ts';
import { certificateView, type ViewParts } from '../certificates/view.ts';
import { accountUri } from '../http/authentication.ts';
import type { RequestBody } from '../http/request-body.ts';
import { RedfishError } from '../messages/redfish-error.ts';
import { json, link, type Reply, type RequestContext, type Resource } from '../resource.ts';
import { typeOf } from '../schema-versions.ts';
import { visible } from './accounts.ts';

interface AccountCertificateParts extends ViewParts {
  readonly access: Access;
}

/**
 * The certificates of each account (DMTF ManagerAccount), by which its user is known under the mapping
 * `Whole`: a user has his own in hand, who may configure users everybody's.
 */
export function accountCertificates(parts: AccountCertificateParts): readonly Resource[] {
  const { accountCertificates: kept } = parts.access;
  return kept ? [collection(parts, kept), certificate(parts, kept)] : [];
}

const path = '/redfish/v1/AccountService/Accounts/:name/Certificates';

function collection(parts: AccountCertificateParts, kept: AccountCertificates): Resource {
  const { access } = parts;
  return {
    path,
    entity: 'AccountCertificateCollection',
    operations: {
      GET: {
        async handle(context) {
          const { userName } = await visible(access, context);
          const uri = collectionUri(userName);
          const members = kept.of(userName);
          return json({
            '@odata.id': uri,
            '@odata.type': typeOf('CertificateCollection'),
            Name: 'User Certificates Collection',
            Description: 'Certificates by which the user of the account is known',
            Members: members.map(({ id }) => link(`${uri}/${id}`)),
            'Members@odata.count': members.length,
          });
        },
      },
      POST: {
        async handle(context) {
          const { userName } = await visible(access, context);
          const submitted = await asRedfish({}, () => certificateOf(context.body, kept));
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
      },
    },
  };
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
  throw new RedfishError(404, { id: 'ResourceNotFound', args: ['Certificate', id] });
}

/**
 * Anybody can have added it, for nobody has to show that he has its key. Who may see all accounts is told which one to
 * look at.
 * @throws RedfishError 409
 */
function tellOwner(
  kept: AccountCertificates,
  submitted: Certificate,
  { identity }: RequestContext,
): void {
  const owner = kept.ownerOf(submitted);
  if (owner === undefined || !identity) return;
  if (!hasPrivilege(identity.account.role, 'ConfigureUsers')) return;
  const args = ['Certificate', 'CertificateString', 'as submitted'];
  const detail = `The certificate belongs to the account ${owner}; delete it there if that is not right`;
  throw new RedfishError(409, { id: 'ResourceAlreadyExists', args, detail });
}

/** Of a user who is kept elsewhere nobody tells us when he goes. */
async function isKeptHere({ access }: AccountCertificateParts, name: string): Promise<boolean> {
  return (await access.users.list()).some(({ userName }) => userName === name);
}

/**
 * The one certificate of a body, which brings no key: what opens keys takes long and has no use here.
 * @throws RedfishError 400; CertError for a body that is no certificate
 */
function certificateOf(body: RequestBody, { limits }: AccountCertificates): Certificate {
  const { content } = submittedContent(body);
  if (content.format === 'PKCS12') {
    throw new RedfishError(400, {
      id: 'PropertyValueNotInList',
      args: ['PKCS12', 'CertificateType'],
      detail: 'A certificate of an account comes without a key',
      related: ['#/CertificateType'],
    });
  }
  const blocks = openUpload({ ...content, password: '' }, limits.accountCertificateBytes);
  const { certificates, keyBlocks } = parseUpload(blocks, 1);
  const [submitted] = certificates;
  if (keyBlocks.length === 0 && submitted) return submitted;
  throw new RedfishError(400, {
    id: 'PropertyValueError',
    args: ['CertificateString'],
    detail: 'A certificate of an account comes without a key',
    related: ['#/CertificateString'],
  });
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
