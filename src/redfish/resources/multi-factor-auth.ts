import type { AccountServicePatch } from '../../../schemas/generated/validators.js';
import type { CertificateLogin } from '../../identity/accounts/access-settings.ts';
import type { Identity } from '../../identity/identity.ts';
import type { ClientCertificates } from '../../identity/peer-certificates/client-certificates.ts';
import { isRedfishMapType } from '../../identity/peer-certificates/map-types.ts';
import { memberError, type RedfishError } from '../messages/redfish-error.ts';
import { link } from '../resource.ts';

type Wanted = NonNullable<NonNullable<AccountServicePatch['MultiFactorAuth']>['ClientCertificate']>;

/**
 * `MultiFactorAuth` of AccountService.
 * @param authorities URI of the certificates that are trusted
 */
export function multiFactorAuthView(
  certificates: ClientCertificates | undefined,
  authorities: string,
) {
  const settings = certificates?.settings.clientCertificates;
  return {
    ClientCertificate: {
      ...(settings && {
        Enabled: settings.enabled,
        RespondToUnauthenticatedClients: settings.respond,
        CertificateMappingAttribute: settings.mapping,
      }),
      Certificates: link(authorities),
    },
  };
}

/**
 * What AccountService will say of client certificates. Where only clients with certificates are served,
 * before or after the change, it must come from an administrator whose certificate is good for a login after it, so
 * that an administrator can always log in.
 * @throws RedfishError 400 for a mapping that we do not have, 409 for whom the change could lock out
 */
export async function changedMultiFactorAuth(
  certificates: ClientCertificates,
  identity: Identity | undefined,
  wanted: Wanted,
  current: CertificateLogin,
): Promise<CertificateLogin> {
  const mapping = wanted.CertificateMappingAttribute;
  if (mapping !== undefined && !isRedfishMapType(mapping)) throw notInList(mapping);
  const next: CertificateLogin = {
    enabled: wanted.Enabled ?? current.enabled,
    respond: wanted.RespondToUnauthenticatedClients ?? current.respond,
    mapping: mapping ?? current.mapping,
  };
  if (!next.respond && !(await isSafe(certificates, identity, next))) {
    throw lockout(wanted, current, next);
  }
  return next;
}

async function isSafe(
  certificates: ClientCertificates,
  identity: Identity | undefined,
  next: CertificateLogin,
): Promise<boolean> {
  if (!identity?.certificate) return false;
  const user = await certificates.userOf(identity.certificate, next.mapping);
  return typeof user !== 'string' && user.role === 'Administrator';
}

const at = 'MultiFactorAuth/ClientCertificate';
const respondProperty = `${at}/RespondToUnauthenticatedClients`;

/** Names the property of the request that may not have its value. */
function lockout(wanted: Wanted, current: CertificateLogin, next: CertificateLogin): RedfishError {
  const detail =
    'Only an administrator whose client certificate is good for a login may ask for this, over a connection with it';
  if (wanted.RespondToUnauthenticatedClients === false && current.respond) {
    const args = [respondProperty, 'false'];
    return memberError(409, 'PropertyValueExternalConflict', args, respondProperty, detail);
  }
  const name = `${at}/${next.mapping === current.mapping ? 'Enabled' : 'CertificateMappingAttribute'}`;
  return memberError(409, 'PropertyValueConflict', [name, respondProperty], name, detail);
}

function notInList(value: string): RedfishError {
  const name = `${at}/CertificateMappingAttribute`;
  return memberError(400, 'PropertyValueNotInList', [value, name], name);
}
