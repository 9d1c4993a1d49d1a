import '../platform/debug-signal.ts';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { validateStoredNetconfNames } from '../../schemas/generated/validators.js';
import { Audit } from '../core/audit.ts';
import type { Log } from '../core/log.ts';
import { openUsers } from '../dbus/accounts/open-users.ts';
import { BusCertificateClient } from '../dbus/client/bus-certificate-client.ts';
import { BusEdgeEndpoints } from '../dbus/client/bus-edge-endpoints.ts';
import { serveNetconf } from '../dbus/netconf-service/netconf-object.ts';
import { configuredClientIdentities } from '../identity/peer-certificates/client-identities.ts';
import { ClientIdentityList } from '../identity/peer-certificates/client-identity-list.ts';
import { generateCertificate } from '../manager/credential/generated-certificate.ts';
import { noNames } from '../netconf/datastore/names.ts';
import { startNetconfService } from '../netconf/netconf-service.ts';
import { openDatastore } from '../netconf/operations/datastore.ts';
import { makeClientTrust } from '../netconf/serving/client-trust.ts';
import { openShownCertificate } from '../netconf/serving/shown-certificate.ts';
import { netconfSettings } from '../netconf/settings.ts';
import { type Configuration, contentLimitsOf } from '../platform/configuration.ts';
import { InvalidMember } from '../platform/invalid-member.ts';
import { openStateDirectory } from '../platform/state-directory.ts';
import { readState, StateFile } from '../storage/state-file.ts';
import { exportPrivateKey } from '../x509/keys.ts';
import { servedNetconf } from './netconf/served-netconf.ts';
import { ownUsers } from './set-up/access-policy.ts';
import { runConfigured, type Serving } from './set-up/configured-program.ts';

/** How long the managers on the bus may take to answer before the service listens without them. */
const managersMilliseconds = 2000;

/** How long a change may take to answer before sessions end because of it. */
const cutMilliseconds = 1000;

void runConfigured({ program: 'netconf-server', settings, start });

/** @throws InvalidMember */
function settings(configuration: Configuration): Configuration {
  servicePath(configuration);
  configuredClientIdentities(configuration);
  return configuration;
}

/** The file that the manager writes for the service. @throws InvalidMember where there is none */
function servicePath({ services, netconf }: Configuration): string {
  const found = services.find(({ name }) => name === netconf.service);
  if (found) return found.file;
  const fault = `is ${netconf.service}, which "services" does not declare`;
  throw new InvalidMember('/netconf/service', fault);
}

/** Puts the parts of the program together; it is long because they are many. */
async function start(configuration: Configuration, log: Log): Promise<Serving<Configuration>> {
  const { bus: busAddress, limits, netconf } = configuration;
  let inForce = configuration;
  openStateDirectory(netconf.directory);
  const client = {
    ...{ busAddress, requestTimeout: (limits.requestSeconds + 5) * 1000, log },
    ...{ uploadBytes: limits.uploadBytes, content: contentLimitsOf(configuration) },
  };
  const certificates = new BusCertificateClient({ ...client, withRunTime: false });
  const endpoints = new BusEdgeEndpoints(client);
  const audit = new Audit(log);
  const users = openUsers(configuration, audit, log);
  const inDirectory = (file: string) => join(netconf.directory, file);
  const identities = new ClientIdentityList(
    inDirectory('client-identities.json'),
    configuration,
    log,
  );
  const names = inDirectory('names.json');
  const namesForm = { what: 'names of certificates', validator: validateStoredNetconfNames };
  const namesFile = new StateFile(names, readState(names, namesForm) ?? noNames);
  const managers = [certificates.start(), endpoints.start(), users.start()];
  // What hangs must not keep the service from coming up; until it answers, it counts as away
  await Promise.race([Promise.all(managers), sleep(managersMilliseconds)]);
  const shown = await openShownCertificate({
    path: servicePath(configuration),
    maxBytes: 2 * limits.uploadBytes,
    content: contentLimitsOf(configuration),
    profile: netconf.tls.profile,
    makeSelfSigned() {
      const host = { hostName: 'netconf', addresses: [] };
      const { key, leaf } = generateCertificate(host, configuration.selfSigned, Date.now());
      return { key: exportPrivateKey(key), certificate: leaf, chain: [] };
    },
    now: Date.now,
    log,
  });
  const service = await startNetconfService({
    settings: netconfSettings(configuration),
    trust: makeClientTrust({
      ...{ certificates, endpoints },
      configured: () => inForce.endpoints,
      names: () => inForce.netconf.clientAuthorities,
    }),
    datastore: (parts) =>
      openDatastore({
        ...{ ...parts, endpoints, certificates, names: namesFile, audit, log },
        now: () => new Date(),
      }),
    ...{ shown, identities, users: users.users, cutMilliseconds },
    ...{ hostName: hostname, now: Date.now, audit, log },
  });
  const stops = [
    certificates.subscribe(() => service.follow()),
    endpoints.subscribe(() => {
      void shown.identity.refresh();
      service.follow();
    }),
  ];
  const object = serveNetconf({
    ...{ busAddress, audit, log },
    access: { users: ownUsers, groups: [] },
    service: servedNetconf({ service, identities, endpoints, settings: () => inForce }),
  });
  await Promise.race([object, sleep(managersMilliseconds)]);
  const place = { address: netconf.address, port: service.port };
  log.info('NETCONF service ready', place);
  return {
    details: place,
    prepare: async (next) => async () => {
      inForce = next;
      identities.configure(next);
      service.apply(netconfSettings(next));
    },
    async stop() {
      for (const stop of stops) stop();
      (await object).close();
      await service.close();
      await shown.identity.close();
      certificates.close();
      endpoints.close();
      users.close();
    },
  };
}
