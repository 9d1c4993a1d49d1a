import type { Audit } from '../../core/audit.ts';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { auditCalls } from '../certs/audit-calls.ts';
import { authorizeCaller, type CallerPolicy } from '../server/caller-policy.ts';
import { serve } from '../server/interface.ts';
import { ObjectServer } from '../server/object-server.ts';
import type { Bus } from '../transport/bus.ts';
import { watchCallers } from '../transport/bus-driver.ts';
import { requestName } from '../transport/bus-name.ts';
import { ReconnectingBus } from '../transport/reconnecting-bus.ts';
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
export async function serveGnoi(options: GnoiObjectOptions): Promise<ReconnectingBus> {
  const { busAddress, service, log } = options;
  let server: ObjectServer | undefined;
  const connection = new ReconnectingBus({
    ...{ busAddress, log },
    async begin(bus) {
      const begun = await serveOn(bus, options);
      await requestName(bus, gnoiName);
      server = begun;
    },
    ended() {
      server = undefined;
    },
  });
  const changing = Object.keys(gnoiInterface.properties).filter(
    (name) => !gnoiInterface.constant.some((one) => one === name),
  );
  service.onChange(() => server?.announce(gnoiRoot, gnoiInterface.name, changing));
  await connection.start();
  return connection;
}

async function serveOn(
  bus: Bus,
  { access, service, audit, log }: GnoiObjectOptions,
): Promise<ObjectServer> {
  const callers = await watchCallers(bus);
  const server = new ObjectServer({
    bus,
    root: gnoiRoot,
    authorize: authorizeCaller(callers, access, 'operate the gNOI service'),
    follow: auditCalls(audit, callers),
    report({ member, sender }, error) {
      const method = `${gnoiInterface.name}.${member}`;
      log.error('method failed', { method, sender, reason: reasonOf(error) });
    },
  });
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
  server.add(gnoiRoot, [served]);
  return server;
}
