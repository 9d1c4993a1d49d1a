import type {
  CertificateClient,
  EndpointRef,
  PublishedCertificate,
} from '../../manager/certificate-client.ts';
import { planRequest } from '../../manager/csr/plan.ts';
import { parsePem } from '../../x509/pem.ts';
import { CommandError } from '../framework/exit-status.ts';
import { nameOf } from '../targets.ts';
import { publishedOf } from './certificate-resource.ts';
import { type CertificateService, extensionOf } from './certificate-service.ts';
import type { EndpointCopies } from './endpoint-copies.ts';
import { followEvents } from './event-stream.ts';
import { listAt, targetOf, textAt } from './json.ts';
import { notOffered } from './refusal.ts';
import type { Rotation } from './rotation.ts';
import type { Service } from './service.ts';

export interface RemoteParts {
  readonly service: Service;
  readonly copies: EndpointCopies;
  readonly certificateService: CertificateService;
  readonly rotation: Rotation;
  /** URI of the stream of events, where there is one. */
  readonly events: string | undefined;
  readonly warn: (text: string) => void;
}

/** The manager's port over Redfish: reads are from copies, changes are actions of the service (DSP2046). */
export function remoteClient(parts: RemoteParts): CertificateClient {
  const { service, copies, certificateService } = parts;
  return {
    // Its copies are read once
    version: 0,
    isAvailable: (endpoint) => copies.has(endpoint),
    endpoints: () => copies.endpoints(),
    runTimeEndpoints: () => copies.runTimeEndpoints(),
    list: (endpoint) => copies.of(endpoint).certificates.map(({ published }) => published),
    get: (endpoint, id) => copies.certificate(endpoint, id).published,
    async install(endpoint, content) {
      const { uri } = copies.of(endpoint);
      const { body, headers } = await service.post(uri, certificateService.submitted(content));
      const created = headers.location ?? textAt(body, '@odata.id') ?? '';
      return put(parts, endpoint, body, (one) => one.uri === pathOf(created));
    },
    async replace(endpoint, id, content) {
      const { uri } = copies.certificate(endpoint, id);
      const target = certificateService.target('CertificateService.ReplaceCertificate');
      if (target === undefined) throw notOffered('replace certificates');
      const reference = { CertificateUri: { '@odata.id': uri } };
      const submitted = certificateService.submitted(content);
      const { body } = await service.post(target, { ...submitted, ...reference });
      return put(parts, endpoint, body, (one) => one.published.id === id);
    },
    async delete(endpoint, id) {
      await service.remove(copies.certificate(endpoint, id).uri);
      await copies.read(copies.of(endpoint));
    },
    ...remoteRequests(parts),
    subscribe(listener) {
      if (parts.events === undefined) throw notOffered('tell of changes as they happen');
      return followEvents({ ...parts, uri: parts.events }, listener);
    },
  };
}

/** CSRs: each is made by an action of the service. */
function remoteRequests({
  service,
  copies,
  certificateService,
}: RemoteParts): Pick<CertificateClient, 'makeRequest' | 'rekey' | 'renew' | 'outstanding'> {
  const request = async (uri: string, body: object) => {
    const answer = await service.post(uri, body);
    const pem = requestIn(textAt(answer.body, 'CSRString'));
    if (pem !== undefined) return pem;
    throw new CommandError('failed', 'The Redfish service answered without a CSR.');
  };
  const successor = (action: string, endpoint: EndpointRef, id: string, body: object) => {
    const target = targetOf(copies.certificate(endpoint, id).resource, `Certificate.${action}`);
    if (target === undefined)
      throw notOffered(`make a CSR for the successor of ${nameOf(endpoint, id)}`);
    return request(target, body);
  };
  return {
    async makeRequest(endpoint, parameters) {
      planRequest(parameters, endpoint.type);
      const target = certificateService.target('CertificateService.GenerateCSR');
      if (target === undefined) throw notOffered('make CSRs');
      const CertificateCollection = { '@odata.id': copies.of(endpoint).uri };
      const given = await certificateService.csrMembers(parameters);
      return request(target, { CertificateCollection, ...given });
    },
    async rekey(endpoint, id, parameters) {
      return successor('Rekey', endpoint, id, await certificateService.csrMembers(parameters));
    },
    async renew(endpoint, id, ChallengePassword) {
      const body = ChallengePassword === '' ? {} : { ChallengePassword };
      return successor('Renew', endpoint, id, body);
    },
    async outstanding(endpoint) {
      const { resource } = copies.of(endpoint);
      const extension = extensionOf(resource);
      if (extension === undefined) throw notOffered('tell of pending CSRs');
      return listAt(extension, 'Requests').map((one) => ({
        id: textAt(one, 'Id') ?? '',
        pem: requestIn(textAt(one, 'CSRString')) ?? '',
        created: new Date(textAt(one, 'Created') ?? 0),
      }));
    },
  };
}

/** What the answer to an upload says beyond the resource is said there alone. */
async function put(
  { copies, rotation }: RemoteParts,
  endpoint: EndpointRef,
  answer: unknown,
  isIt: (one: { readonly uri: string; readonly published: PublishedCertificate }) => boolean,
): Promise<PublishedCertificate> {
  const copy = await copies.read(copies.of(endpoint));
  const found = copy?.certificates.find(isIt);
  const text = textAt(answer, 'CertificateString');
  const published =
    text === undefined
      ? found?.published
      : publishedOf(endpoint.type, found?.published.id ?? textAt(answer, 'Id') ?? '1', answer);
  if (!published) {
    const message = `The Redfish service does not show what is at ${nameOf(endpoint)} now.`;
    throw new CommandError('failed', message);
  }
  if (copy?.isServed) await rotation.installed(published.certificate.fingerprint);
  return published;
}

/** A terminal gets nothing of the text around it. @returns PEM */
function requestIn(text = ''): string | undefined {
  return parsePem(text).find(({ label }) => label.endsWith('CERTIFICATE REQUEST'))?.text;
}

function pathOf(location: string): string {
  return URL.canParse(location, 'https://service')
    ? new URL(location, 'https://service').pathname
    : location;
}
