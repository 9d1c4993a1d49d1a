import { CertError } from '../../core/cert-error.ts';
import type { Administration, ReplacementStatus } from '../../manager/administration.ts';
import type { EndpointRef } from '../../manager/certificate-client.ts';
import { openContent } from '../../x509/containers.ts';
import { nameOf } from '../targets.ts';
import { expiryIn } from './certificate-resource.ts';
import { extensionOf } from './certificate-service.ts';
import { at, listAt, targetOf, textAt } from './json.ts';
import { notOffered } from './refusal.ts';
import type { RemoteParts } from './remote-client.ts';
import type { Service } from './service.ts';

/** `Administration` over Redfish: what the standard has no words for is asked for by actions of our own services. */
export function remoteAdministration(parts: RemoteParts, now: () => number): Administration {
  const { service, copies, certificateService } = parts;
  const extension = (endpoint: EndpointRef) => extensionOf(copies.of(endpoint).resource);
  const act: Act = async (action, what, bodyOf) => {
    const target = certificateService.target(`BmcCertificates.${action}`);
    if (target === undefined) throw notOffered(what);
    return service.post(target, bodyOf());
  };
  return {
    async expiry(endpoint) {
      const entries = copies.of(endpoint).certificates.map(({ resource, published }) => {
        const { id, certificate } = published;
        return [id, expiryIn(resource, certificate, now())] as const;
      });
      return new Map(entries);
    },
    async replaceAll(endpoint, content) {
      const target = targetOf(extension(endpoint), 'BmcCertificates.ReplaceAll');
      if (target === undefined)
        throw notOffered(`replace all certificates of ${nameOf(endpoint)} at once`);
      await service.post(target, certificateService.submitted(content));
      const installed = (await reread(parts, endpoint))?.certificates ?? [];
      // In the order of the bundle, as the manager answers
      return openContent(content).flatMap(({ der }) =>
        installed
          .map(({ published }) => published)
          .filter((one) => one.certificate.der.equals(der)),
      );
    },
    async discard(endpoint, Id) {
      const body = { Id, Certificates: collectionOf(parts, endpoint) };
      await act('DiscardRequest', 'give up pending CSRs', () => body);
      await reread(parts, endpoint);
    },
    async services(endpoint) {
      return listAt(extension(endpoint), 'Services').map((one) => ({
        service: textAt(one, 'Service') ?? '',
        outcome: textAt(one, 'Outcome') ?? '',
        reason: textAt(one, 'Reason') ?? '',
        at: timeAt(one, 'Time'),
        attempts: Number(at(one, 'Attempts') ?? 0),
      }));
    },
    async reload(endpoint) {
      const body = { Certificates: collectionOf(parts, endpoint) };
      await act('Reload', 'tell services to read their files', () => body);
      await reread(parts, endpoint);
    },
    ...stagedReplacements(parts, act),
  };
}

/** Sends an action of our own services. @param what is not offered where the service has no such action */
type Act = (action: string, what: string, bodyOf: () => object) => ReturnType<Service['post']>;

/** A replacement in two phases: each phase is an action. */
function stagedReplacements(
  parts: RemoteParts,
  act: Act,
): Pick<Administration, 'stage' | 'activate' | 'commit' | 'rollback' | 'replacement'> {
  const { copies, certificateService, rotation } = parts;
  const settle = async (endpoint: EndpointRef, how: 'installed' | 'tried') => {
    const copy = await reread(parts, endpoint);
    const [first] = copy?.certificates ?? [];
    if (copy?.isServed && first) await rotation[how](first.published.certificate.fingerprint);
  };
  const replacementAt = (endpoint: EndpointRef) => {
    const id = textAt(extensionOf(copies.of(endpoint).resource), 'Replacement', 'Replacement');
    if (id !== undefined) return id;
    // As the manager says it
    const message = 'there is no such replacement, or it belongs to another caller';
    throw new CertError('not-found', message);
  };
  return {
    async stage(endpoint, { content, truststore, seconds }) {
      const bundle = truststore && certificateService.submitted(truststore.bundle);
      const answer = await act('Stage', 'stage replacements', () => ({
        Certificates: collectionOf(parts, endpoint),
        ...certificateService.submitted(content),
        ...(bundle && { AuthoritiesString: bundle.CertificateString }),
        ...(truststore && { Authorities: collectionOf(parts, truststore.endpoint) }),
        ...(seconds > 0 && { Seconds: seconds }),
      }));
      await reread(parts, endpoint);
      return textAt(answer.body, 'Replacement') ?? '';
    },
    async activate(endpoint, seconds) {
      await act('Activate', 'activate replacements', () => ({
        Replacement: replacementAt(endpoint),
        ...(seconds > 0 && { Seconds: seconds }),
      }));
      await settle(endpoint, 'tried');
    },
    async commit(endpoint) {
      const bodyOf = () => ({ Replacement: replacementAt(endpoint) });
      await act('Commit', 'commit replacements', bodyOf);
      await settle(endpoint, 'installed');
    },
    async rollback(endpoint) {
      const bodyOf = () => ({ Replacement: replacementAt(endpoint) });
      await act('Rollback', 'roll replacements back', bodyOf);
      await settle(endpoint, 'installed');
    },
    async replacement(endpoint) {
      const found = at(extensionOf(copies.of(endpoint).resource), 'Replacement');
      const state = states.find((one) => one === textAt(found, 'State')) ?? 'None';
      return { state, deadline: timeAt(found, 'Deadline') };
    },
  };
}

/** Reads the collection anew after a change that its endpoint has seen. */
function reread({ copies }: RemoteParts, endpoint: EndpointRef) {
  return copies.read(copies.of(endpoint));
}

function collectionOf({ copies }: RemoteParts, endpoint: EndpointRef) {
  return { '@odata.id': copies.of(endpoint).uri };
}

const states: readonly ReplacementStatus['state'][] = ['None', 'Staged', 'Active'];

function timeAt(value: unknown, name: string): Date | undefined {
  const text = textAt(value, name);
  const time = new Date(text ?? Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
