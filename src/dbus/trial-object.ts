import type { Endpoint } from '../manager/endpoint.ts';
import { CertError } from '../manager/errors.ts';
import type { Trials } from '../manager/trials.ts';
import { toUploadText } from '../manager/upload.ts';
import { asContent } from './content.ts';
import { enumName, trialInterface } from './extension-interfaces.ts';
import { type ServedInterface, serve } from './interface.ts';

export interface TrialObjectOptions {
  readonly endpoint: Endpoint;
  readonly trials: Trials;
  /** The endpoint of an object path, for the truststore of a trial. */
  readonly findEndpoint: (root: string) => Endpoint | undefined;
  readonly uploadBytes: number;
  /** False when a caller has left the bus in the meantime. */
  readonly isPresent: (caller: string) => Promise<boolean>;
}

const stateNames = { none: 'None', staged: 'Staged', active: 'Active' } as const;

/** Changes in two phases, on the manager object of an endpoint. */
export function trialObject(options: TrialObjectOptions): ServedInterface {
  const { endpoint, trials, findEndpoint, uploadBytes, isPresent } = options;
  const truststore = (path: string): Endpoint => {
    const found = findEndpoint(path);
    if (found?.definition.type === 'authority' && found !== endpoint) return found;
    throw new CertError('argument-invalid', 'Truststore is not the path of another truststore');
  };
  return serve(trialInterface, {
    properties: {
      State: () =>
        enumName(trialInterface, 'State', stateNames[trials.stateOf(endpoint.definition)]),
    },
    methods: {
      async Stage(inputs, { name }) {
        const { Truststore, Bundle, BundleFormat, Seconds } = inputs;
        const parts = [{ endpoint, text: toUploadText(asContent(inputs), uploadBytes) }];
        if (Truststore !== '') {
          const bundle = asContent({ Content: Bundle, Format: BundleFormat, Password: '' });
          const text = toUploadText(bundle, uploadBytes);
          parts.push({ endpoint: truststore(Truststore), text });
        }
        const trial = await trials.stage(name, parts, Seconds);
        // Whoever left before the trial had a name was not known as its owner
        const present = await isPresent(name).catch(() => false);
        if (!present) await trials.ownerLeft(name);
        return trial;
      },
      async Activate({ Trial, Seconds }, { name }) {
        await trials.activate(name, Trial, Seconds);
        return undefined;
      },
      async Commit({ Trial }, { name }) {
        await trials.commit(name, Trial);
        return undefined;
      },
      async Rollback({ Trial }, { name }) {
        await trials.rollback(name, Trial);
        return undefined;
      },
    },
  });
}
