import '../platform/debug-signal.ts';
import { existsSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Audit } from '../core/audit.ts';
import { reasonOf } from '../core/cert-error.ts';
import type { Log } from '../core/log.ts';
import { SetupError } from '../core/setup-error.ts';
import { openUsers } from '../dbus/accounts/open-users.ts';
import { busAdministration } from '../dbus/client/bus-administration.ts';
import { BusCertificateClient } from '../dbus/client/bus-certificate-client.ts';
import { configuredClientIdentities } from '../identity/peer-certificates/client-identities.ts';
import { type Configuration, contentLimitsOf } from '../platform/configuration.ts';
import { writeRuntimeFile } from '../platform/runtime-file.ts';
import { makeOwnedDirectory, openStateDirectory } from '../platform/state-directory.ts';
import { servedEndpoint } from '../redfish/set-up/identity.ts';
import { startService } from '../redfish/set-up/service.ts';
import { claimName } from '../storage/claim-socket.ts';
import { makeDirectory } from '../storage/directory.ts';
import { ownerOnly } from '../storage/file-mode.ts';
import { runConfigured, type Serving } from './set-up/configured-program.ts';
import { contentOpener } from './set-up/content-opener.ts';

/** How long the managers on the bus may take to answer before the service listens without them. */
const managersMilliseconds = 2000;

void runConfigured({ program: 'redfish-server', settings, start });

/** @throws InvalidMember: a list with a mistake stops the start, and not the first login that needs it */
function settings(configuration: Configuration, log: Log): Configuration {
  configuredClientIdentities(configuration, log);
  servedEndpoint(configuration);
  return configuration;
}

async function start(configuration: Configuration, log: Log): Promise<Serving<Configuration>> {
  const { bus: busAddress, limits, redfish, runtimeDirectory } = configuration;
  const release = await claimStateDirectory(configuration, log);
  const requestTimeout = (limits.requestSeconds + 5) * 1000;
  const { uploadBytes } = limits;
  const content = contentLimitsOf(configuration);
  const openContent = contentOpener(limits);
  makeOwnedDirectory(runtimeDirectory, 'runtime directory');
  const client = new BusCertificateClient({
    ...{ busAddress, requestTimeout, uploadBytes, content, log },
    // The manager lets a file wait as long before
    openingTimeout: 2 * limits.openingSeconds * 1000,
    ...{ openContent, uploadDirectory: emptyUploads(runtimeDirectory) },
  });
  const audit = new Audit(log);
  const users = openUsers(configuration, audit, log);
  // What hangs must not keep the service from coming up; until it answers, it counts as away
  await Promise.race([Promise.all([client.start(), users.start()]), sleep(managersMilliseconds)]);
  const service = await startService({
    ...{ configuration, client, users: users.users, audit, hostName: hostname, log },
    administration: busAdministration(client),
    openContent,
  });
  const pidFile = join(runtimeDirectory, 'redfish.pid');
  writeRuntimeFile(pidFile, `${process.pid}\n`, 0o644);
  log.info('Redfish service ready', { address: redfish.address, port: service.port });
  return {
    details: { port: service.port },
    async prepare(next) {
      const apply = service.prepare(next);
      return async () => apply();
    },
    async stop() {
      rmSync(pidFile, { force: true });
      await service.close();
      client.close();
      users.close();
      release();
    },
  };
}

/** Where files with keys lie for the moment in which another manager reads them; a service that was killed leaves them. */
function emptyUploads(runtimeDirectory: string): string {
  const directory = join(runtimeDirectory, 'redfish-uploads');
  rmSync(directory, { recursive: true, force: true });
  makeOwnedDirectory(directory, 'directory of uploads');
  return directory;
}

/**
 * Keeps every other service from the files: what a second service takes for left over, the first one may be writing. Where
 * there is no directory, and none can be made, no other service has anything in it.
 * @returns how to give the directory back. @throws SetupError when another service has it
 */
async function claimStateDirectory(
  { redfish: { directory } }: Configuration,
  log: Log,
): Promise<() => void> {
  await makeDirectory(directory, ownerOnly).catch((error: unknown) => {
    log.warn('the state directory cannot be made', { directory, reason: reasonOf(error) });
  });
  if (!existsSync(directory)) return () => undefined;
  openStateDirectory(directory);
  const claimed = await claimName(directory, 'redfish.lock').catch((error: unknown) => {
    const reason = reasonOf(error);
    log.warn('the state directory is not kept from other services', { directory, reason });
  });
  if (!claimed) return () => undefined;
  if ('release' in claimed) return () => claimed.release();
  throw new SetupError(`The state directory ${directory} belongs to another Redfish service.`);
}
