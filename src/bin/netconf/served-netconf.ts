import { CertError } from '../../core/cert-error.ts';
import type { ExplainedLogin } from '../../dbus/netconf-service/netconf-interface.ts';
import type { ServedNetconf } from '../../dbus/netconf-service/netconf-object.ts';
import type { WrittenSource } from '../../identity/peer-certificates/client-identities.ts';
import type { ClientIdentityList } from '../../identity/peer-certificates/client-identity-list.ts';
import type { Explanation } from '../../identity/peer-certificates/explain.ts';
import { isMapType, mapTypes } from '../../identity/peer-certificates/map-types.ts';
import { refusals } from '../../identity/peer-certificates/refusal.ts';
import { parseTlsFingerprint } from '../../identity/peer-certificates/tls-fingerprint.ts';
import type { EdgeEndpoints } from '../../manager/edge-endpoints.ts';
import type { NetconfService } from '../../netconf/netconf-service.ts';
import { type Configuration, contentLimitsOf } from '../../platform/configuration.ts';
import { readCertificate, subjectText } from '../../x509/certificate.ts';
import { isCertificateBlock, parsePem } from '../../x509/pem.ts';

export interface ServedNetconfParts {
  readonly service: NetconfService;
  readonly identities: ClientIdentityList;
  readonly endpoints: EdgeEndpoints;
  readonly settings: () => Configuration;
}

/** The service as operators have it on the bus. */
export function servedNetconf(parts: ServedNetconfParts): ServedNetconf {
  const { service, identities, settings } = parts;
  return {
    status: () => statusOf(parts),
    addIdentity: async (fingerprint, mapType, name, position) =>
      identities.add(
        { fingerprint, ...sourceOf(mapType, name) },
        position === 0 ? undefined : position - 1,
      ),
    removeIdentity: (fingerprint, mapType) =>
      identities.remove(fingerprint, mapType === '' ? undefined : mapType),
    setDefaultIdentity: async (mapType, name) =>
      identities.setDefault(mapType === '' ? undefined : sourceOf(mapType, name)),
    resetIdentities: () => identities.reset(),
    async explain(pem) {
      const content = contentLimitsOf(settings());
      const blocks = parsePem(pem, content).filter(isCertificateBlock);
      if (blocks.length === 0)
        throw new CertError('no-certificate', 'the file has no certificate in PEM');
      const shown = blocks.map(({ der }) => readCertificate(der, content));
      return explained(await service.explain(shown));
    },
    setTrace(on) {
      service.trace = on;
    },
    onChange: (listener) => service.onChange(listener),
  };
}

/** @throws CertError `argument-invalid` */
function sourceOf(mapType: string, name: string): WrittenSource {
  if (!isMapType(mapType)) {
    const known = Object.keys(mapTypes).join(', ');
    throw new CertError('argument-invalid', `MapType is one of ${known}.`);
  }
  return { mapType, ...(name !== '' && { name }) };
}

function statusOf({ service, identities, endpoints, settings }: ServedNetconfParts) {
  const configuration = settings();
  const { address, service: name } = configuration.netconf;
  const { readiness: state, advice, authorities, missing } = service.standing();
  const { certToName, defaultIdentity } = identities.written;
  const configured = new Set(configuration.clientIdentities.certToName.map(keyOf));
  return {
    ...{ address, port: service.port, state, advice, missing },
    certificate: boundId(endpoints, name) ?? '',
    authorities: authorities.map(subjectText),
    sessions: service.sessions().map(({ id, userName: user, address, loginTime: since }) => ({
      ...{ id, user, address, since },
    })),
    refused: service.refused().map(({ at, reason, ...rest }) => ({
      ...{ at: new Date(at), reason, text: refusals[reason], ...rest },
    })),
    identities: certToName.map((entry) => ({
      ...entry,
      name: entry.name ?? '',
      isConfigured: configured.has(keyOf(entry)),
    })),
    defaultIdentity: defaultIdentity && { name: '', ...defaultIdentity },
    origin: identities.origin,
    trace: service.trace,
  };
}

/** By which an entry of the list is known, however its fingerprint is written. */
function keyOf(entry: { fingerprint: string; mapType: string; name?: string }): string {
  const { fingerprint, mapType, name = '' } = entry;
  return JSON.stringify([parseTlsFingerprint(fingerprint), mapType, name]);
}

/** The id that the service reads from; `undefined` where it reads from none, and while the manager is away. */
function boundId(endpoints: EdgeEndpoints, name: string): string | undefined {
  if (!endpoints.isAvailable) return undefined;
  const bound = endpoints.bindings().find(({ service }) => service === name)?.endpoint;
  return bound?.type === 'server' ? bound.name : undefined;
}

function explained({ path, considered, name = '', user, refusal }: Explanation): ExplainedLogin {
  return {
    refusal: refusal ?? '',
    reason: refusal ? refusals[refusal] : '',
    user: name,
    role: user?.role ?? '',
    chain: path.map(({ subject, fingerprint }) => `${subject} ${fingerprint}`),
    entries: considered
      .map(({ entry, mapType, matches, derived }) => ({
        entry: entry === 'default' ? entry : String(entry + 1),
        mapType,
        matches: matches === 'any' ? 'any' : (path[matches ?? -1]?.subject ?? ''),
        result: derived && ('name' in derived ? derived.name : refusals[derived.refusal]),
      }))
      .map(({ result = '', ...rest }) => ({ ...rest, result })),
  };
}
