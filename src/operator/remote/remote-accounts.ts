import {
  IdentityError,
  type IdentityErrorCode,
  identityErrors,
} from '../../identity/identity-error.ts';
import type { Accounts } from '../road.ts';
import { at, linksAt, textAt } from './json.ts';
import { notOffered, type Refusal, RefusedError } from './refusal.ts';
import type { Service } from './service.ts';

/** The accounts of the AccountService (DSP2046). @param uri of the collection of accounts, where there is one */
export function remoteAccounts(service: Service, uri: string | undefined): Accounts {
  const collection = () => {
    if (uri === undefined) throw notOffered('administer accounts');
    return uri;
  };
  const members = async () => {
    const { body } = await service.get(collection());
    return Promise.all(linksAt(body, 'Members').map((one) => service.get(one)));
  };
  /** Some services number their accounts. @throws IdentityError `not-found` */
  const find = async (userName: string) => {
    const all = await members();
    const found = all.find(({ body }) => textAt(body, 'UserName') === userName);
    const path = textAt(found?.body, '@odata.id');
    if (!found || path === undefined) throw new IdentityError('not-found', userName);
    return { path, entityTag: found.headers.etag };
  };
  return {
    async list() {
      return (await members()).flatMap(({ body }) => {
        const userName = textAt(body, 'UserName') ?? '';
        // A place of a service that numbers them which is free
        if (userName === '') return [];
        return {
          userName,
          role: textAt(body, 'RoleId') ?? '',
          enabled: at(body, 'Enabled') === true,
          locked: at(body, 'Locked') === true,
          passwordChangeRequired: at(body, 'PasswordChangeRequired') === true,
        };
      });
    },
    async create({ userName, password, role, enabled, passwordChangeRequired }) {
      const body = {
        ...{ UserName: userName, Password: password, RoleId: role, Enabled: enabled },
        ...(passwordChangeRequired && { PasswordChangeRequired: true }),
      };
      await asAccountError(userName, () => service.post(collection(), body));
    },
    async update(userName, { role, locked }) {
      const { path, entityTag } = await find(userName);
      const body = {
        ...(role !== undefined && { RoleId: role }),
        ...(locked !== undefined && { Locked: locked }),
      };
      await asAccountError(userName, () => service.patch(path, body, entityTag));
    },
    async remove(userName) {
      const { path } = await find(userName);
      await asAccountError(userName, () => service.remove(path));
    },
  };
}

/** What the account manager of one of our own services says, as it is told over the bus. */
async function asAccountError<T>(userName: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = error instanceof RefusedError ? accountError(error.refusal, userName) : undefined;
    throw known ?? error;
  }
}

const codes = Object.keys(identityErrors) as readonly IdentityErrorCode[];

function accountError(refusal: Refusal, userName: string): IdentityError | undefined {
  const { messageId, messageArgs, detail } = refusal;
  const told = codes.find((code) => identityErrors[code] === `${detail}.`);
  if (told !== undefined) return new IdentityError(told, userName);
  if (messageId === 'ResourceAlreadyExists') return new IdentityError('exists', userName);
  if (messageId === 'CreateLimitReachedForResource') return new IdentityError('limit', userName);
  if (detail === '') return undefined;
  if (messageId === 'ResourceCannotBeDeleted' && /administrator/.test(detail))
    return new IdentityError('last-administrator', userName, detail);
  if (messageArgs[1] === 'Password') return new IdentityError('password-refused', userName, detail);
  if (messageArgs[1] === 'UserName') return new IdentityError('name-refused', userName, detail);
  return undefined;
}
