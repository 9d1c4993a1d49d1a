import type { Audit } from '../../core/audit.ts';
import type { Log } from '../../core/log.ts';
import type { CallerPolicy } from '../server/caller-policy.ts';
import { serve } from '../server/interface.ts';
import { serveServiceObject } from '../server/service-object.ts';
import type { ReconnectingBus } from '../transport/reconnecting-bus.ts';
import { type GnoiStatus, gnoiInterface, gnoiName, gnoiRoot } from './gnoi-interface.ts';

/** What the service tells operators, and does for them. */
export interface ServedGnoi {
  status(): GnoiStatus;
  /** @throws CertError `not-found` where no rotation of the id is on trial */
  extend(id: string, seconds: number): Promise<void>;
  /** Calls back when the status is another. */
  onChange(listener: () => void): void;
}

export interface GnoiObjectOptions {
  readonly busAddress: string;
  readonly access: CallerPolicy;
  readonly service: ServedGnoi;
  readonly audit: Audit;
  readonly log: Log;
}

/** Serves the object of the service whenever the bus is there: the service itself goes on without. */
export function serveGnoi({ service, ...options }: GnoiObjectOptions): Promise<ReconnectingBus> {
  const served = serve(gnoiInterface, {
    properties: {
      Address: () => service.status().address,
      Port: () => service.status().port,
      ClientAuthentication: () => service.status().clientAuthentication,
      Cause: () => service.status().cause,
      Certificate: () => service.status().certificate,
      Authorities: () => [...service.status().authorities],
      Rotations: () =>
        service
          .status()
          .rotations.map(({ id, deadline }) => [id, BigInt(Math.floor(deadline.getTime() / 1000))]),
    },
    methods: {
      Extend: ({ Id, Seconds }) => service.extend(Id, Seconds),
    },
  });
  return serveServiceObject({
    ...options,
    ...{ name: gnoiName, path: gnoiRoot, served, purpose: 'operate the gNOI service' },
    onChange: (listener) => service.onChange(listener),
  });
}
