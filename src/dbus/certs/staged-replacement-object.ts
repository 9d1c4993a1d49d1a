import { CertError } from '../../core/cert-error.ts';
import type { Endpoint } from '../../manager/endpoint.ts';
import type { StagedReplacements } from '../../manager/replacement/staged-replacements.ts';
import { openUpload } from '../../manager/upload.ts';
import type { CallerPolicy } from '../server/caller-policy.ts';
import { type ServedInterface, serve } from '../server/interface.ts';
import { asContent } from './content.ts';
import { enumName, replacementInterface } from './extension-interfaces.ts';
import type { GuardedEndpoint } from './guarded-endpoint.ts';

export interface StagedReplacementObjectOptions {
  readonly endpoint: Endpoint;
  readonly replacements: StagedReplacements;
  /** The endpoint of an object path, for the truststore of a staged replacement. */
  readonly findEndpoint: (root: string) => GuardedEndpoint | undefined;
  /**
   * The policy of the bus does not see which truststore a call means.
   * @throws CertError `access-denied`
   */
  readonly mustHaveAccess: (access: CallerPolicy, caller: string) => Promise<unknown>;
  readonly uploadBytes: number;
  /** False when a caller has left the bus in the meantime. */
  readonly isConnected: (caller: string) => Promise<boolean>;
}

const stateNames = { none: 'None', staged: 'Staged', active: 'Active' } as const;

/** Changes in two phases, on the manager object of an endpoint. */
export function stagedReplacementObject(options: StagedReplacementObjectOptions): ServedInterface {
  const { endpoint, replacements, findEndpoint, mustHaveAccess, uploadBytes, isConnected } =
    options;
  const truststore = async (path: string, caller: string): Promise<Endpoint> => {
    const found = findEndpoint(path);
    if (found?.endpoint.definition.type !== 'authority' || found.endpoint === endpoint)
      throw new CertError('argument-invalid', 'Truststore is not the path of another truststore');
    await mustHaveAccess(found.access, caller);
    return found.endpoint;
  };
  return serve(replacementInterface, {
    properties: {
      State: () =>
        enumName(
          replacementInterface,
          'State',
          stateNames[replacements.stateOf(endpoint.definition)],
        ),
    },
    methods: {
      async Stage(inputs, { name }) {
        const { Truststore, Bundle, BundleFormat, Seconds } = inputs;
        const other = Truststore === '' ? undefined : await truststore(Truststore, name);
        const parts = [{ endpoint, content: openUpload(asContent(inputs), uploadBytes) }];
        if (other) {
          const bundle = asContent({ Content: Bundle, Format: BundleFormat, Password: '' });
          parts.push({ endpoint: other, content: openUpload(bundle, uploadBytes) });
        }
        const replacement = await replacements.stage(name, parts, Seconds);
        // Whoever left before the replacement had a name was not known as its owner
        const present = await isConnected(name).catch(() => false);
        if (!present) await replacements.ownerLeft(name);
        return replacement;
      },
      Activate: ({ Replacement, Seconds }, { name }) =>
        replacements.activate(name, Replacement, Seconds),
      Commit: ({ Replacement }, { name }) => replacements.commit(name, Replacement),
      Rollback: ({ Replacement }, { name }) => replacements.rollback(name, Replacement),
    },
  });
}
