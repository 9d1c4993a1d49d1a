import type { Audit } from '../../core/audit.ts';
import type { Log } from '../../core/log.ts';
import { auditCalls } from '../certs/audit-calls.ts';
import type { Bus } from '../transport/bus.ts';
import { watchCallers } from '../transport/bus-driver.ts';
import { requestName } from '../transport/bus-name.ts';
import { ReconnectingBus } from '../transport/reconnecting-bus.ts';
import { authorizeCaller, type CallerPolicy } from './caller-policy.ts';
import type { ServedInterface } from './interface.ts';
import { ObjectServer, reportTo } from './object-server.ts';

export interface ServiceObjectOptions {
  readonly busAddress: string;
  /** The well-known name of the service, and the path of its one object. */
  readonly name: string;
  readonly path: string;
  readonly served: ServedInterface;
  readonly access: CallerPolicy;
  /** What privileged callers do, such as `operate the gNOI service`. */
  readonly purpose: string;
  /** Calls back when properties that are not constant may be others. */
  readonly onChange: (listener: () => void) => void;
  readonly audit: Audit;
  readonly log: Log;
}

/** Serves the one object of a service whenever the bus is there: the service itself goes on without. */
export async function serveServiceObject(options: ServiceObjectOptions): Promise<ReconnectingBus> {
  const { busAddress, name, path, served, log } = options;
  const { spec } = served;
  let server: ObjectServer | undefined;
  const connection = new ReconnectingBus({
    ...{ busAddress, log },
    async begin(bus) {
      const begun = await serveOn(bus, options);
      await requestName(bus, name);
      server = begun;
    },
    ended() {
      server = undefined;
    },
  });
  const changing = Object.keys(spec.properties).filter(
    (property) => !spec.constant?.some((one) => one === property),
  );
  options.onChange(() => server?.announce(path, spec.name, changing));
  await connection.start();
  return connection;
}

async function serveOn(
  bus: Bus,
  { path, served, access, purpose, audit, log }: ServiceObjectOptions,
): Promise<ObjectServer> {
  const callers = await watchCallers(bus);
  const server = new ObjectServer({
    bus,
    root: path,
    authorize: authorizeCaller(callers, access, purpose),
    follow: auditCalls(audit, callers),
    report: reportTo(log),
  });
  server.add(path, [served]);
  return server;
}
