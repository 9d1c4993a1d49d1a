import '../platform/debug-signal.ts';
import { existsSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Audit } from '../core/audit.ts';
import { reasonOf } from '../core/cert-error.ts';
import { makeLog } from '../core/log.ts';
import { SetupError } from '../core/setup-error.ts';
import { openUsers } from '../dbus/accounts/open-users.ts';
import { BusCertificateClient } from '../dbus/client/bus-certificate-client.ts';
import { claimState } from '../dbus/transport/state-claim.ts';
import { configuredClientIdentities } from '../identity/peer-certificates/client-identities.ts';
import {
  type Configuration,
  contentLimitsOf,
  inText,
  parseConfiguration,
  readConfigurationText,
} from '../platform/configuration.ts';
import { followConfiguration } from '../platform/configuration-reload.ts';
import { announceReady, runProgram } from '../platform/process-life.ts';
import { writeRuntimeFile } from '../platform/runtime-file.ts';
import { makeOwnedDirectory, openStateDirectory } from '../platform/state-directory.ts';
import { startService } from '../redfish/set-up/service.ts';
import { makeDirectory } from '../storage/directory.ts';
import { ownerOnly } from '../storage/file-mode.ts';

/** How long the managers on the bus may take to answer before the service listens without them. */
const managersMilliseconds = 2000;

const log = makeLog('redfish-server');

await runProgram(log, async (fail, onReload) => {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  const { config: file } = values;
  if (file === undefined) throw new SetupError('Give --config FILE.');
  const from = { source: file, text: readConfigurationText(file) };
  const configuration = parseConfiguration(from.text, file);
  const { bus: busAddress, limits, redfish, runtimeDirectory } = configuration;
  const release = await claimStateDirectory(configuration, fail);
  const requestTimeout = (limits.requestSeconds + 5) * 1000;
  const { uploadBytes } = limits;
  const content = contentLimitsOf(configuration);
  const client = new BusCertificateClient({
    ...{ busAddress, requestTimeout, uploadBytes, content, log },
  });
  const audit = new Audit(log);
  const users = openUsers(configuration, audit, log);
  // What hangs must not keep the service from coming up; until it answers, it counts as away
  await Promise.race([Promise.all([client.start(), users.start()]), sleep(managersMilliseconds)]);
  const dependencies = {
    ...{ configuration, client, users: users.users, audit, hostName: hostname, log },
  };
  const service = await inText(from, () => startService(dependencies));
  const pidFile = join(runtimeDirectory, 'redfish.pid');
  makeOwnedDirectory(runtimeDirectory, 'runtime directory');
  writeRuntimeFile(pidFile, `${process.pid}\n`, 0o644);
  const program = 'redfish-server';
  onReload(
    followConfiguration({ program, file, from, configuration, log }, async (next, text) => {
      const apply = await inText(text, async () => {
        configuredClientIdentities(next, log);
        return service.prepare(next);
      });
      return async () => apply();
    }),
  );
  log.info('Redfish service ready', { address: redfish.address, port: service.port });
  announceReady({ port: service.port });
  return async () => {
    rmSync(pidFile, { force: true });
    await service.close();
    client.close();
    users.close();
    release();
  };
});

/** Where there is no directory, and none can be made, no other service has anything in it. */
async function claimStateDirectory(
  { bus: busAddress, redfish: { directory } }: Configuration,
  lost: (error: Error) => void,
): Promise<() => void> {
  await makeDirectory(directory, ownerOnly).catch((error: unknown) => {
    log.warn('the state directory cannot be made', { directory, reason: reasonOf(error) });
  });
  if (!existsSync(directory)) return () => undefined;
  openStateDirectory(directory);
  return claimState({ busAddress, directory, log, lost });
}
