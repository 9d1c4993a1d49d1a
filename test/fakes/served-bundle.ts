import { Audit } from '../../src/core/audit.ts';
import { CertError } from '../../src/core/cert-error.ts';
import type { ToldBundle } from '../../src/dbus/trust-bundle/bundle-interface.ts';
import {
  type BundleObjects,
  type ServedBundle,
  serveBundles,
} from '../../src/dbus/trust-bundle/bundle-objects.ts';

const silentLog = {
  ...{ debug: () => undefined, info: () => undefined },
  ...{ warn: () => undefined, error: () => undefined },
};

/** An error with a code, as those of a bundle. */
export class CodedFault extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A bundle that has never been downloaded. */
export const emptyBundle: ToldBundle = {
  ...{ Name: 'default-trusted-ca-certs', State: 'idle', Failure: ['', '', 0n], Warnings: [] },
  ...{ Enabled: true, IntervalHours: 24, Url: 'http://a.example/cacert', RoutingInstance: '' },
  ...{ SetAtRunTime: [], Revision: 0n, VersionDate: 0n, NextUpdate: 0n, Count: 0, Duplicates: 0 },
  ...{ Sha256: '', Signer: '', SignerNotAfter: 0n, Root: '', RootNotAfter: 0n },
  ...{ HighestRevision: 0n, ServerRevision: 0n, ServerDate: 0n },
  ...{ LastCheck: 0n, LastSuccess: 0n, NextPoll: 0n, Staleness: 'fresh' },
  ...{ Blocked: 0, BlockedInBundle: 0, Expired: 0, Constrained: 0, Downloads: [], Groups: [] },
};

/** Bundles on a bus that do nothing but note what they were asked, and change their settings. */
export interface BundlesOnBus {
  /** By name; what is put here is told at the next `objects.changed()`. */
  readonly told: Map<string, ToldBundle>;
  readonly asked: string[];
  /** What the next call that changes anything rejects with. */
  fault: Error | undefined;
  readonly objects: BundleObjects;
}

export async function bundlesOnBus(busAddress: string): Promise<BundlesOnBus> {
  const told = new Map([[emptyBundle.Name, emptyBundle]]);
  const asked: string[] = [];
  const note = async (line: string) => {
    asked.push(line);
    const { fault } = world;
    world.fault = undefined;
    if (fault) throw fault;
  };
  const served = (name: string): ServedBundle => {
    const now = () => told.get(name) ?? emptyBundle;
    const change = (changes: Partial<ToldBundle>) => {
      told.set(name, { ...now(), ...changes });
      world.objects.changed();
    };
    return {
      ...{ name, told: now },
      async checkServer() {
        await note('check');
        return [7n, 1_700_000_000n];
      },
      async download() {
        await note('download');
        return [1_700_000_001n, 'command', 7n, 1_700_000_000n, 'updated'];
      },
      load: (group) => note(`load ${group}`),
      loadFile: (group, content) => note(`load ${group} ${content.length}`),
      members(group) {
        if (group !== 'there') throw new CertError('not-found', `no group ${group}`);
        return [
          ['One', 'aa', 'bundle', 'present'],
          ['Two', 'bb', 'bundle', 'absent'],
        ];
      },
      async set(setting, value) {
        await note(`set ${setting} ${value}`);
        const names = now().SetAtRunTime.filter((one) => one !== setting);
        change({ [setting]: value, SetAtRunTime: [...names, setting] });
      },
      async reset(setting) {
        await note(`reset ${setting}`);
        const SetAtRunTime = now().SetAtRunTime.filter((one) => one !== setting);
        change({ [setting]: emptyBundle[setting], SetAtRunTime });
      },
    };
  };
  const objects = await serveBundles({
    busAddress,
    uploadBytes: 1 << 20,
    access: () => ({ users: [process.getuid?.() ?? 0], groups: [] }),
    bundles: () => [...told.keys()].map(served),
    codeOf: (error) => (error instanceof CodedFault ? error.code : undefined),
    audit: new Audit(silentLog),
    log: silentLog,
  });
  const world: BundlesOnBus = { told, asked, fault: undefined, objects };
  return world;
}
