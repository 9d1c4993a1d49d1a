import '../platform/debug-signal.ts';
import { randomBytes } from 'node:crypto';
import { EnrolmentAgent } from '../cmp/agent.ts';
import { sendToCa } from '../cmp/ca-connection.ts';
import { type EnrolmentSettings, enrolmentSettings } from '../cmp/configured.ts';
import type { Context } from '../cmp/enrolment/context.ts';
import { managerDevice } from '../cmp/manager-device.ts';
import { deviceByOrigin, runTimeDevice } from '../cmp/run-time-device.ts';
import { Audit } from '../core/audit.ts';
import type { Log } from '../core/log.ts';
import { BusCertificateClient } from '../dbus/client/bus-certificate-client.ts';
import { BusEdgeEndpoints } from '../dbus/client/bus-edge-endpoints.ts';
import { busEndpointKeys } from '../dbus/client/bus-endpoint-keys.ts';
import { serveEnrolment } from '../dbus/enrolment/enrolment-service.ts';
import type { CallerPolicy } from '../dbus/server/caller-policy.ts';
import { connectBus } from '../dbus/transport/bus.ts';
import { watchCallers } from '../dbus/transport/bus-driver.ts';
import { nameLookup } from '../outbound/name-lookup.ts';
import { type Configuration, contentLimitsOf } from '../platform/configuration.ts';
import { openStateDirectory } from '../platform/state-directory.ts';
import { readSystemAccounts } from '../platform/system-accounts.ts';
import { probeService } from '../tls/probe-service.ts';
import { deviceFacts } from './cmp/device-facts.ts';
import { enrolmentJournals } from './cmp/enrolment-journals.ts';
import { servedEnrolment } from './cmp/served-enrolment.ts';
import { accessPolicy } from './set-up/access-policy.ts';
import { runConfigured, type Serving } from './set-up/configured-program.ts';

interface Settings {
  readonly configuration: Configuration;
  readonly enrolment: EnrolmentSettings;
  readonly access: CallerPolicy;
}

void runConfigured({ program: 'cmp-agent', settings: settingsOf, start });

/** @throws InvalidMember */
function settingsOf(configuration: Configuration): Settings {
  const { access } = configuration.enrolment;
  return {
    configuration,
    enrolment: enrolmentSettings(configuration),
    access: accessPolicy(access, '/enrolment/access', readSystemAccounts()),
  };
}

/** Puts the parts of the agent together; it is long because they are many, and in the order in which they start. */
async function start(
  first: Settings,
  log: Log,
  fail: (error: Error) => void,
): Promise<Serving<Settings>> {
  const { configuration } = first;
  const { bus: busAddress, limits } = configuration;
  let inForce = first;
  openStateDirectory(first.enrolment.directory);
  const audit = new Audit(log);
  const bus = await connectBus(busAddress);
  const onLost = () => fail(new Error('the connection to the D-Bus is lost'));
  bus.onLost(onLost);
  const manager = {
    ...{ busAddress, log, uploadBytes: limits.uploadBytes },
    content: contentLimitsOf(configuration),
    requestTimeout: (limits.requestSeconds + 5) * 1000,
  };
  const client = new BusCertificateClient({ ...manager, withRunTime: false });
  const endpoints = new BusEdgeEndpoints(manager);
  const closing = new AbortController();
  const lookUp = nameLookup();
  const device = deviceByOrigin({
    configuration: managerDevice(client, busEndpointKeys(client)),
    'run-time': runTimeDevice(endpoints),
  });
  const journalOf = await enrolmentJournals(
    first.enrolment.directory,
    first.enrolment.policies.map(({ policy }) => policy.name),
  );
  const contextsOf = ({ enrolment }: Settings): readonly Context[] =>
    enrolment.policies.map(({ policy, profile }) => ({
      ...{ policy, profile, device, log },
      ...{ facts: deviceFacts, random: randomBytes, probe: probeService },
      content: manager.content,
      journal: journalOf(policy.name),
      now: Date.now,
      send(ca, message) {
        const authorities = device.authorities(ca.tlsAuthority).map(({ pem }) => pem);
        return sendToCa(ca, message, { lookUp, authorities, signal: closing.signal });
      },
    }));
  const contexts = contextsOf(first);
  const agent = new EnrolmentAgent(contexts);
  const service = await serveEnrolment({
    ...{ busAddress, callers: await watchCallers(bus), audit, log, onLost },
    access: () => inForce.access,
    enrolment: servedEnrolment(agent, () => inForce.enrolment.profiles, device),
  });
  await Promise.all([client.start(), endpoints.start()]);
  agent.start(service.changed);
  log.info('agent of CMP ready', { certificates: contexts.length });
  return {
    details: {},
    async prepare(next) {
      const following = contextsOf(next);
      return async () => {
        inForce = next;
        agent.take(following);
      };
    },
    async stop() {
      agent.close();
      closing.abort(new Error('the agent ends'));
      service.close();
      client.close();
      endpoints.close();
      bus.close();
    },
  };
}
