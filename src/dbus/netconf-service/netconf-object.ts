import type { Audit } from '../../core/audit.ts';
import type { Log } from '../../core/log.ts';
import type { CallerPolicy } from '../server/caller-policy.ts';
import { serve } from '../server/interface.ts';
import { serveServiceObject } from '../server/service-object.ts';
import type { ReconnectingBus } from '../transport/reconnecting-bus.ts';
import {
  type ExplainedLogin,
  type NetconfStatus,
  netconfInterface,
  netconfName,
  netconfRoot,
} from './netconf-interface.ts';

/** What the service tells operators, and does for them. Empty texts of names and map types stand for none. */
export interface ServedNetconf {
  status(): NetconfStatus;
  addIdentity(fingerprint: string, mapType: string, name: string, position: number): Promise<void>;
  removeIdentity(fingerprint: string, mapType: string): Promise<void>;
  setDefaultIdentity(mapType: string, name: string): Promise<void>;
  resetIdentities(): Promise<void>;
  /** @throws CertError where the text holds no certificates */
  explain(pem: string): Promise<ExplainedLogin>;
  setTrace(on: boolean): void;
  /** Calls back when the status is another. */
  onChange(listener: () => void): void;
}

export interface NetconfObjectOptions {
  readonly busAddress: string;
  readonly access: CallerPolicy;
  readonly service: ServedNetconf;
  readonly audit: Audit;
  readonly log: Log;
}

/**
 * Serves the object of the service whenever the bus is there: the service itself goes on without. Long because it is a list of
 * short methods.
 */
export function serveNetconf({
  service,
  ...options
}: NetconfObjectOptions): Promise<ReconnectingBus> {
  const served = serve(netconfInterface, {
    properties: {
      Address: () => service.status().address,
      Port: () => service.status().port,
      State: () => service.status().state,
      Advice: () => service.status().advice,
      Certificate: () => service.status().certificate,
      Authorities: () => [...service.status().authorities],
      MissingAuthorities: () => [...service.status().missing],
      Sessions: () =>
        service
          .status()
          .sessions.map(({ id, user, address, since }) => [id, user, address, seconds(since)]),
      Refused: () =>
        service
          .status()
          .refused.map(({ at, count, reason, text, address, subject, fingerprint }) => [
            ...([seconds(at), count, reason, text] as const),
            ...([address, subject, fingerprint] as const),
          ]),
      ClientIdentities: () =>
        service
          .status()
          .identities.map(({ fingerprint, mapType, name, isConfigured }) => [
            fingerprint,
            mapType,
            name,
            isConfigured,
          ]),
      DefaultIdentity: () => {
        const { mapType = '', name = '' } = service.status().defaultIdentity ?? {};
        return [mapType, name];
      },
      IdentitiesOrigin: () => service.status().origin,
      Trace: () => service.status().trace,
    },
    methods: {
      AddClientIdentity: ({ Fingerprint, MapType, Name, Position }) =>
        service.addIdentity(Fingerprint, MapType, Name, Position),
      RemoveClientIdentity: ({ Fingerprint, MapType }) =>
        service.removeIdentity(Fingerprint, MapType),
      SetDefaultIdentity: ({ MapType, Name }) => service.setDefaultIdentity(MapType, Name),
      ResetClientIdentities: () => service.resetIdentities(),
      async Explain({ Certificates }) {
        const { refusal, reason, user, role, chain, entries } = await service.explain(Certificates);
        const rows = entries.map(
          ({ entry, mapType, matches, result }): [string, string, string, string] => [
            entry,
            mapType,
            matches,
            result,
          ],
        );
        return [refusal, reason, user, role, [...chain], rows];
      },
      SetTrace: ({ Trace }) => service.setTrace(Trace),
    },
  });
  return serveServiceObject({
    ...options,
    ...{ name: netconfName, path: netconfRoot, served, purpose: 'operate the NETCONF service' },
    onChange: (listener) => service.onChange(listener),
  });
}

function seconds(time: Date): bigint {
  return BigInt(Math.floor(time.getTime() / 1000));
}
