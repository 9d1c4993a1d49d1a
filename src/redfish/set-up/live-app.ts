import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { type Configuration, contentLimitsOf } from '../../platform/configuration.ts';
import { type AppOptions, makeApp } from '../app.ts';
import { type CertificateCollection, collectionsOf } from '../certificates/collections.ts';
import type { ServedApp } from '../http/server.ts';
import { readWebUi, type WebUi } from '../web-ui/directory.ts';
import { servedEndpoint } from './identity.ts';
import { bootClock, firmwareVersionOf, openManagerSettings } from './manager-details.ts';

/** The configuration that is in force, and what follows from it. */
export interface InForce {
  configuration: Configuration;
  /** Of its endpoints. */
  collections: readonly CertificateCollection[];
}

export function inForceOf(configuration: Configuration): InForce {
  const { redfish, endpoints } = configuration;
  return { configuration, collections: collectionsOf(redfish.managerId, endpoints) };
}

/** What stays the same for as long as the service runs. */
export type FixedParts = Omit<
  AppOptions['parts'],
  'compatibility' | 'contentLimits' | 'managerDetails' | 'query'
>;

/** The application as it is configured; it is made anew for another configuration. */
export interface LiveApp extends ServedApp {
  /**
   * Finds a configuration good that differs in nothing that needs a restart.
   * @returns what puts it in force for the requests to come. @throws SetupError; then nothing changed
   */
  prepare(next: Configuration): () => void;
}

export function makeLiveApp(inForce: InForce, fixed: FixedParts, log: Log): LiveApp {
  const { redfish } = inForce.configuration;
  const details = {
    lastReset: bootClock(Date.now),
    settings: openManagerSettings(join(redfish.directory, 'manager-settings.json'), log),
  };
  const optionsOf = (configuration: Configuration): AppOptions => {
    const { redfish } = configuration;
    const { limits, compatibility, firmwareVersion = firmwareVersionOf() } = redfish;
    const managerDetails = { ...details, firmwareVersion };
    const contentLimits = contentLimitsOf(configuration);
    const configured = { compatibility, managerDetails, contentLimits, query: limits };
    const parts = { ...fixed, ...configured };
    return { ...{ log, webUi, parts }, limits: { ...limits, query: limits } };
  };
  let webUi = firstWebUi(inForce.configuration, log);
  let app = makeApp(optionsOf(inForce.configuration));
  return {
    handler: (req, res) => app.handler(req, res),
    allowedAt: (path) => app.allowedAt(path),
    prepare(next) {
      const before = inForce.configuration;
      const isMoved = servedEndpoint(next).path !== servedEndpoint(before).path;
      const isSameUi = isDeepStrictEqual(next.redfish.webUi, before.redfish.webUi);
      const nextUi = isSameUi ? webUi : configuredWebUi(next, log);
      return () => {
        if (isMoved) log.warn('the path of the served endpoint counts after a restart');
        Object.assign(inForce, inForceOf(next));
        webUi = nextUi;
        app = makeApp(optionsOf(next), app.atWork);
      };
    },
  };
}

/** A damaged web UI must not take the service off the network that could mend it. */
function firstWebUi(configuration: Configuration, log: Log): WebUi | undefined {
  try {
    return configuredWebUi(configuration, log);
  } catch (error) {
    const { directory = '' } = configuration.redfish.webUi;
    log.error('web UI not served', { directory, reason: reasonOf(error) });
    return undefined;
  }
}

function configuredWebUi({ redfish }: Configuration, log: Log): WebUi | undefined {
  const { directory, files, bytes } = redfish.webUi;
  return directory === undefined ? undefined : readWebUi({ directory, files, bytes }, log);
}
