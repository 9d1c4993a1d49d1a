import type { AccountServicePatch } from '../../../schemas/generated/validators.js';
import type { AccessPolicy } from '../../identity/accounts/access-settings.ts';
import type { ClientCertificates } from '../../identity/peer-certificates/client-certificates.ts';
import { memberError, type RedfishError } from '../messages/redfish-error.ts';

type Patch = Pick<AccountServicePatch, 'HTTPBasicAuth' | 'MultiFactorAuth' | 'Oem'>;
type ClientCertificatePatch = NonNullable<
  NonNullable<AccountServicePatch['MultiFactorAuth']>['ClientCertificate']
>;

const at = 'Oem/OpenBMC/AuthMethods';

/** `Oem.OpenBMC` of bmcweb's AccountService, whose scripts switch the ways to log in there. */
export function authMethodsView(
  uri: string,
  { basicAuth, sessionWays: { cookie, sessionToken, xToken } }: AccessPolicy,
  certificates: ClientCertificates | undefined,
) {
  return {
    OpenBMC: {
      '@odata.id': `${uri}#/Oem/OpenBMC`,
      '@odata.type': '#OpenBMCAccountService.v1_0_0.AccountService',
      AuthMethods: {
        BasicAuth: basicAuth !== 'Disabled',
        Cookie: cookie,
        SessionToken: sessionToken,
        TLS: certificates?.settings.clientCertificates.enabled ?? false,
        XToken: xToken,
      },
    },
  };
}

/**
 * What a request asks for of the ways to log in with a password: Redfish's own member and bmcweb's switch are one setting.
 * @throws RedfishError 400 where they contradict each other
 */
export function wantedPolicy(
  { HTTPBasicAuth, Oem }: Patch,
  now: AccessPolicy,
): Partial<Pick<AccessPolicy, 'basicAuth' | 'sessionWays'>> {
  const { BasicAuth, Cookie, SessionToken, XToken } = Oem?.OpenBMC?.AuthMethods ?? {};
  if (
    HTTPBasicAuth !== undefined &&
    BasicAuth !== undefined &&
    BasicAuth !== (HTTPBasicAuth !== 'Disabled')
  ) {
    throw contradiction('BasicAuth', 'HTTPBasicAuth');
  }
  const wasOn = now.basicAuth !== 'Disabled';
  const switched = BasicAuth === undefined || BasicAuth === wasOn ? undefined : BasicAuth;
  const basicAuth =
    HTTPBasicAuth ?? (switched === undefined ? undefined : switched ? 'Enabled' : 'Disabled');
  const sessionWays = {
    cookie: Cookie ?? now.sessionWays.cookie,
    sessionToken: SessionToken ?? now.sessionWays.sessionToken,
    xToken: XToken ?? now.sessionWays.xToken,
  };
  const isOff = (basicAuth ?? now.basicAuth) === 'Disabled';
  if (isOff && !Object.values(sessionWays).includes(true)) throw nothingLeft(HTTPBasicAuth);
  const changesWays = [Cookie, SessionToken, XToken].some((way) => way !== undefined);
  return { ...(basicAuth && { basicAuth }), ...(changesWays && { sessionWays }) };
}

/** The same for client certificates, whose switch is `Enabled` of Redfish. @throws RedfishError 400 */
export function wantedCertificates({
  MultiFactorAuth,
  Oem,
}: Patch): ClientCertificatePatch | undefined {
  const given = MultiFactorAuth?.ClientCertificate;
  const tls = Oem?.OpenBMC?.AuthMethods?.TLS;
  if (tls === undefined) return given;
  if (given?.Enabled !== undefined && given.Enabled !== tls) {
    throw contradiction('TLS', 'MultiFactorAuth/ClientCertificate/Enabled');
  }
  return { ...given, Enabled: tls };
}

function contradiction(method: string, other: string): RedfishError {
  const name = `${at}/${method}`;
  return memberError(400, 'PropertyValueConflict', [name, other], name);
}

/** Who wants certificates alone has RespondToUnauthenticatedClients, which looks at the certificate of the client first. */
function nothingLeft(basicAuth: unknown): RedfishError {
  const [name, other] = basicAuth === undefined ? [at, 'HTTPBasicAuth'] : ['HTTPBasicAuth', at];
  const detail =
    'One of BasicAuth, Cookie, SessionToken and XToken has to stay, so that administrators can log in by password';
  return memberError(400, 'PropertyValueConflict', [name, other], name, detail);
}
