import { X509Certificate } from 'node:crypto';
import type { Door, Outcome } from './changes.ts';
import type { Answer, Asked, HttpsClient } from './https-client.ts';
import type { Logins } from './logins.ts';
import { uris, type World } from './world.ts';

const replaceUri = '/redfish/v1/CertificateService/Actions/CertificateService.ReplaceCertificate';
const requestUri = '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';

/** Asks with the login of a client, again with a new one when the service was ended meanwhile. */
export type Ask = (path: string, asked?: Asked) => Promise<Answer | 'away'>;

export function asker(
  world: Pick<World, 'outages'>,
  client: Pick<HttpsClient, 'ask' | 'reconnect'>,
  logins: Logins,
): Ask {
  return async (path, asked = {}) => {
    const began = performance.now();
    try {
      for (;;) {
        const login = await logins.get(client);
        if (!login) return 'away';
        const answer = await client.ask(path, { ...asked, token: login.token });
        // Sessions end with the service, and who asks first afterwards may be long behind its end
        if (answer.status !== 401 || login.began > world.outages.serviceEnded) return answer;
        await logins.forget(login);
      }
    } catch (error) {
      client.reconnect();
      if (world.outages.overlap(began, performance.now())) return 'away';
      throw error;
    }
  };
}

export function redfishDoor(ask: Ask): Door {
  const action = async (path: string, asked: Asked): Promise<Outcome> => {
    try {
      const answer = await ask(path, asked);
      return answer === 'away' ? { kind: 'away' } : asOutcome(answer);
    } catch (error) {
      return { kind: 'wrong', text: String(error) };
    }
  };
  const put = (uri: string, pem: string) =>
    action(uri, { method: 'POST', body: { CertificateString: pem, CertificateType: 'PEM' } });
  const replace = (uri: string, pem: string) =>
    action(replaceUri, {
      method: 'POST',
      body: {
        CertificateString: pem,
        CertificateType: 'PEM',
        CertificateUri: { '@odata.id': uri },
      },
    });
  return {
    name: 'HTTPS',
    view: 'service',
    installClient: (pem) => put(uris.ldap, pem),
    replace: (place, pem) => replace(`${uris[place]}/1`, pem),
    deleteClient: () => action(`${uris.ldap}/1`, { method: 'DELETE' }),
    installAuthority: (pem) => put(uris.truststore, pem),
    replaceAuthority: (id, pem) => replace(`${uris.truststore}/${id}`, pem),
    deleteAuthority: (id) => action(`${uris.truststore}/${id}`, { method: 'DELETE' }),
    makeRequest: (place) =>
      action(requestUri, {
        method: 'POST',
        body: {
          CertificateCollection: { '@odata.id': uris[place] },
          ...{ City: 'Testville', CommonName: 'bmc.example.com', Country: 'DE' },
          ...{ Organization: 'Test', OrganizationalUnit: 'Soak', State: 'Test' },
          ...{ KeyPairAlgorithm: 'EC', KeyCurveId: 'TPM_ECC_NIST_P256' },
        },
      }),
  };
}

function asOutcome({ status, text, headers }: Answer): Outcome {
  const wrong = (): Outcome => ({ kind: 'wrong', text: `${status} ${text.slice(0, 400)}` });
  switch (status) {
    case 200:
    case 201: {
      const body = JSON.parse(text);
      if ('CSRString' in body) return { kind: 'done', value: body.CSRString };
      const fault = incoherence(body);
      if (fault !== undefined) return { kind: 'wrong', text: fault };
      const id = String(headers.location).split('/').at(-1) ?? '';
      return { kind: 'done', value: body.Fingerprint, id };
    }
    case 204:
      return { kind: 'done' };
    case 404:
      return text.includes('ResourceNotFound') ? { kind: 'absent' } : wrong();
    case 409:
      return { kind: 'occupied' };
    case 503:
      if (!('retry-after' in headers)) return wrong();
      return { kind: /busy/.test(text) ? 'busy' : 'away' };
    default:
      return wrong();
  }
}

/** What in a Certificate resource does not fit together. */
export function incoherence(body: Readonly<Record<string, unknown>>): string | undefined {
  const pems = String(body.CertificateString).match(/-----BEGIN[\s\S]*?-----END CERTIFICATE-----/g);
  const [leaf, issuer] = (pems ?? []).map((pem) => new X509Certificate(pem));
  const about = `${String(body['@odata.id'])}: `;
  if (!leaf) return `${about}there is no certificate in it`;
  if (leaf.fingerprint256 !== body.Fingerprint) return `${about}the fingerprint is of another one`;
  if (issuer && !(leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey)))
    return `${about}the chain is of another one`;
  if (body.CertificateType !== (issuer ? 'PEMchain' : 'PEM')) return `${about}the type is wrong`;
  const until = Date.parse(String(body.ValidNotAfter));
  if (until !== Date.parse(leaf.validTo)) return `${about}the end is of another one`;
  return undefined;
}
