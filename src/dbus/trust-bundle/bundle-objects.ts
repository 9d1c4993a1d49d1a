import { isDeepStrictEqual } from 'node:util';
import type { Audit } from '../../core/audit.ts';
import { CertError, reasonOf } from '../../core/cert-error.ts';
import type { Log } from '../../core/log.ts';
import { auditCalls } from '../certs/audit-calls.ts';
import { escapeId } from '../endpoints/paths.ts';
import { authorizeCaller, type CallerPolicy } from '../server/caller-policy.ts';
import { DBusError } from '../server/error-names.ts';
import { type ServedInterface, serve, type TypedValue } from '../server/interface.ts';
import { ObjectServer, reportTo } from '../server/object-server.ts';
import { type Bus, smallMessageBytes } from '../transport/bus.ts';
import { watchCallers } from '../transport/bus-driver.ts';
import { requestName } from '../transport/bus-name.ts';
import { ReconnectingBus } from '../transport/reconnecting-bus.ts';
import {
  bundleInterface,
  bundlesName,
  bundlesRoot,
  errorNameOfCode,
  type SettableProperty,
  settableProperties,
  type ToldBundle,
  type ToldDownload,
  type ToldMember,
} from './bundle-interface.ts';

/** What a bundle tells its callers on the bus, and does for them. */
export interface ServedBundle {
  readonly name: string;
  told(): ToldBundle;
  checkServer(): Promise<[revision: bigint, date: bigint]>;
  download(): Promise<ToldDownload>;
  load(group: string): Promise<void>;
  loadFile(group: string, content: Buffer): Promise<void>;
  members(group: string): ToldMember[];
  set(setting: SettableProperty, value: boolean | number | string): Promise<void>;
  reset(setting: SettableProperty): Promise<void>;
}

export interface BundleObjectsOptions {
  readonly busAddress: string;
  /** Of a file that is loaded. */
  readonly uploadBytes: number;
  /** Who may call now. */
  readonly access: () => CallerPolicy;
  readonly bundles: () => readonly ServedBundle[];
  /** The code in a refusal of a bundle, `undefined` for any other error. */
  readonly codeOf: (error: Error) => string | undefined;
  readonly audit: Audit;
  readonly log: Log;
}

export interface BundleObjects {
  /** There may be other bundles, or a bundle may stand otherwise. */
  changed(): void;
  updated(
    name: string,
    from: number,
    to: number,
    added: readonly string[],
    removed: readonly string[],
  ): void;
  failed(name: string, code: string, reason: string): void;
  close(): void;
}

/** Serves an object for each bundle whenever the bus is there: the bundles themselves go on without. */
export async function serveBundles(options: BundleObjectsOptions): Promise<BundleObjects> {
  const { busAddress, uploadBytes, log } = options;
  let server: PublishedBundles | undefined;
  const connection = new ReconnectingBus({
    ...{ busAddress, log },
    bounds: ({ type, signature }) =>
      smallMessageBytes + (type === 'call' && signature === loadFileSignature ? uploadBytes : 0),
    async begin(bus) {
      const begun = await publish(bus, options);
      await requestName(bus, bundlesName);
      server = begun;
    },
    ended() {
      server = undefined;
    },
  });
  await connection.start();
  const emit = (name: string, member: 'Updated' | 'UpdateFailed', body: readonly unknown[]) =>
    server?.objects.emit(pathOf(name), bundleInterface, member, body);
  return {
    changed: () => server?.look(),
    updated: (name, from, to, added, removed) =>
      emit(name, 'Updated', [BigInt(from), BigInt(to), added, removed]),
    failed: (name, code, reason) => emit(name, 'UpdateFailed', [code, reason]),
    close: () => connection.close(),
  };
}

const loadFileSignature = 'say';

interface PublishedBundles {
  readonly objects: ObjectServer;
  look(): void;
}

async function publish(bus: Bus, options: BundleObjectsOptions): Promise<PublishedBundles> {
  const { access, bundles, audit, log } = options;
  const callers = await watchCallers(bus);
  const objects = new ObjectServer({
    bus,
    root: bundlesRoot,
    authorize: (sender) => authorizeCaller(callers, access(), 'use the trust bundles')(sender),
    follow: auditCalls(audit, callers),
    report: reportTo(log),
  });
  objects.add(bundlesRoot, []);
  /** What the bus was told last, by the name of the bundle. */
  const told = new Map<string, ToldBundle>();
  const look = () => {
    const all = bundles();
    for (const name of told.keys()) {
      if (all.some((one) => one.name === name)) continue;
      told.delete(name);
      objects.remove(pathOf(name));
    }
    for (const bundle of all) {
      const path = pathOf(bundle.name);
      const before = told.get(bundle.name);
      const now = bundle.told();
      told.set(bundle.name, now);
      const served = () => [servedBundle(bundle, options)];
      if (!before) objects.add(path, served());
      else objects.announce(path, bundleInterface.name, changedProperties(before, now));
    }
  };
  look();
  return { objects, look };
}

function pathOf(name: string): string {
  return `${bundlesRoot}/${escapeId(name)}`;
}

function changedProperties(before: ToldBundle, now: ToldBundle): readonly string[] {
  const names = Object.keys(bundleInterface.properties) as readonly (keyof ToldBundle)[];
  return names.filter((name) => !isDeepStrictEqual(before[name], now[name]));
}

function servedBundle(bundle: ServedBundle, { codeOf }: BundleObjectsOptions): ServedInterface {
  const names = Object.keys(bundleInterface.properties) as readonly (keyof ToldBundle)[];
  const getters = Object.fromEntries(names.map((name) => [name, () => bundle.told()[name]]));
  const served = serve(bundleInterface, {
    // Of each name its own value, which the compiler cannot follow through an object of entries
    properties: getters as { readonly [P in keyof ToldBundle]: () => ToldBundle[P] },
    methods: {
      CheckServer: () => bundle.checkServer(),
      Download: () => bundle.download(),
      Load: ({ Group }) => bundle.load(Group),
      LoadFile: ({ Group, Content }) => bundle.loadFile(Group, Content),
      Members: ({ Group }) => bundle.members(Group),
      Set: ({ Setting, Value }) => {
        const setting = settingOf(Setting);
        return bundle.set(setting, asked(setting, Value));
      },
      Reset: ({ Setting }) => bundle.reset(settingOf(Setting)),
    },
  });
  return {
    ...served,
    async call(...about) {
      try {
        return await served.call(...about);
      } catch (error) {
        const code = error instanceof Error ? codeOf(error) : undefined;
        if (code === undefined) throw error;
        throw new DBusError({ name: errorNameOfCode(code), text: reasonOf(error) });
      }
    },
  };
}

/** @throws CertError `argument-invalid` */
function settingOf(text: string): SettableProperty {
  const found = settableProperties.find((one) => one === text);
  if (found) return found;
  throw new CertError('argument-invalid', `Setting is none of ${settableProperties.join(', ')}`);
}

/** @throws CertError `argument-invalid` */
function asked(setting: SettableProperty, { signature, value }: TypedValue) {
  const wanted = bundleInterface.properties[setting];
  const isKnown =
    typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string';
  if (signature === wanted && isKnown) return value;
  throw new CertError('argument-invalid', `Value of ${setting} has not the signature ${wanted}`);
}
