import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fields } from '../../src/core/log.ts';
import type { CheckPolicy } from '../../src/manager/checks/checks.ts';
import type { CsrWorker } from '../../src/manager/csr/forked-worker.ts';
import { makeRequestFiles } from '../../src/manager/csr/make-request-files.ts';
import { type CsrParameters, withAbsent } from '../../src/manager/csr/parameters.ts';
import type { Endpoint } from '../../src/manager/endpoint.ts';
import type {
  EndpointDependencies,
  HostIdentity,
  ManagerLimits,
  WatchTimes,
} from '../../src/manager/endpoint-dependencies.ts';
import type { EndpointEvent } from '../../src/manager/endpoint-event.ts';
import { usualServingProfile } from '../../src/tls/profile.ts';
import { usualLimits } from '../../src/x509/limits.ts';
import type { ServingProfile } from '../../src/x509/serving-profile.ts';
import { goodTime } from './openssl-authority.ts';

/** The world around an endpoint, in a temporary directory; a test changes it as it likes. */
export interface World {
  readonly directory: string;
  readonly dependencies: EndpointDependencies;
  readonly logged: {
    level: keyof EndpointDependencies['log'];
    message: string;
    fields: Fields;
  }[];
  /** Names of the endpoints whose services were told, in order. */
  readonly reloads: string[];
  now: Date;
  identity: HostIdentity;
  csrWorker: CsrWorker;
  remove(): void;
}

export interface WorldOptions {
  readonly limits?: Partial<ManagerLimits>;
  readonly checks?: Partial<CheckPolicy>;
  readonly serving?: ServingProfile;
  /** Without it nobody follows the files: tests may have several endpoints on one. */
  readonly watch?: WatchTimes;
}

const never = 2 ** 31 - 1;

export function makeWorld(options: WorldOptions = {}): World {
  const directory = mkdtempSync(join(tmpdir(), 'bmc-world-'));
  const logged: World['logged'] = [];
  const note =
    (level: keyof EndpointDependencies['log']) =>
    (message: string, fields: Fields = {}) => {
      logged.push({ level, message, fields });
    };
  const world: World = {
    directory,
    logged,
    reloads: [],
    now: goodTime,
    identity: { hostName: 'bmc.example.com', addresses: ['192.0.2.7', '2001:db8::7'] },
    csrWorker: makeRequestFiles,
    dependencies: {
      log: { info: note('info'), warn: note('warn'), error: note('error') },
      limits: {
        uploadBytes: 65_536,
        chain: 10,
        pendingRequests: 5,
        authorities: 10,
        queuedRequests: 4,
        content: usualLimits,
        ...options.limits,
      },
      checks: { allowExpired: true, requireCa: true, maxRsaBits: 8192, ...options.checks },
      serving: options.serving ?? usualServingProfile(),
      selfSigned: {
        validDays: 397,
        renewBeforeDays: 30,
        curve: 'prime256v1',
        organization: 'Test',
      },
      expiryThresholds: [60, 30, 14, 7, 1],
      watch: options.watch ?? { settle: never, grace: never },
      now: () => world.now.getTime(),
      identity: () => world.identity,
      csrWorker: (job) => world.csrWorker(job),
      oweReload: () => undefined,
      reload: async ({ name }) => {
        world.reloads.push(name);
      },
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
  return world;
}

/** What the events of an endpoint say of its certificates and CSRs, but for the flight of time, one short line for each: `added 1 CN=bmc`. */
export function recordEvents(endpoint: Endpoint): string[] {
  const lines: string[] = [];
  endpoint.subscribe((event) => {
    if (event.kind !== 'expiry' && event.kind !== 'damaged') lines.push(describeEvent(event));
  });
  return lines;
}

function describeEvent(event: Exclude<EndpointEvent, { kind: 'expiry' | 'damaged' }>): string {
  if (event.kind === 'request') return `request ${event.state}`;
  const { id, certificate } = event.installed;
  return `${event.kind} ${id} ${certificate.fingerprint.slice(0, 8)}`;
}

/** Every file and link below a directory with its content, to compare before and after. */
export function snapshot(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) found[path] = `-> ${readlinkSync(path)}`;
    else if (entry.isFile()) found[path] = readFileSync(path, 'latin1');
    else found[path] = 'directory';
  }
  return found;
}

/** A GenerateCSR call of which only the given arguments are given. */
export function csrParameters(given: Partial<CsrParameters> = {}): CsrParameters {
  return withAbsent({
    CommonName: 'bmc',
    KeyCurveId: 'prime256v1',
    KeyPairAlgorithm: 'EC',
    ...given,
  });
}
