import { createPrivateKey } from 'node:crypto';
import { BundleFault } from '../../../trust-bundle/bundle-fault.ts';
import { publishBundle } from '../../../trust-bundle/publish.ts';
import { readCertificate } from '../../../x509/certificate.ts';
import type { Signer } from '../../../x509/cms/sign.ts';
import { isCertificateBlock } from '../../../x509/pem.ts';
import { operatorCommand } from '../../context.ts';
import { CommandError } from '../../framework/exit-status.ts';
import { directoryValue, fileValue, integerValue, textValue } from '../../framework/value-kind.ts';
import { passwordOptions, readBlocks } from '../../material.ts';
import { bundleField, bundleOption, refusalOf } from './program.ts';

export const bundlePublish = operatorCommand({
  name: 'bundle publish',
  summary: 'sign CAs as a bundle, and write the files for a server of bundles',
  about: [
    'For the publisher of a bundle: needs no device and no bus. The directory then has the CAs in one file of the name of the bundle, the manifest with revision and date, a signature of each, and the certificate of the signer. Any web server can serve it, also by plain http.',
    'The next revision is one more than that in the directory. CAs that were there and are not any more are named in the manifest as removed.',
    'The certificate of the signer must have the key usage digitalSignature and an extended key usage that the devices want (`signerPurposes`), and lead to a root that they have (`pinnedRoots`).',
  ],
  arguments: {
    directory: {
      kind: directoryValue,
      about: 'where the files are written; made when it is absent',
    },
    sources: {
      kind: { ...fileValue, placeholder: 'CAS' },
      about: 'files in PEM, and directories of `*.crt` and `*.pem`',
      multiple: true,
    },
  },
  options: {
    signer: {
      kind: fileValue,
      about: 'certificate of the signer; intermediates may come behind it',
      required: true,
    },
    key: { kind: fileValue, about: 'its private key', required: true },
    ...passwordOptions,
    revision: {
      kind: integerValue('N', 1, Number.MAX_SAFE_INTEGER),
      about: 'in place of the next',
    },
    days: {
      kind: integerValue('DAYS', 1, 3650),
      about: 'within which a newer manifest is promised, so that devices notice its absence',
      default: '30',
    },
    reason: {
      kind: textValue(),
      about: 'what the manifest says of the CAs that are not there any more',
    },
    ...bundleOption,
  },
  fields: {
    bundle: bundleField,
    revision: { type: 'number', title: 'Revision', about: 'that was published' },
    certificates: { type: 'number', title: 'CAs', about: 'how many there are' },
    added: { type: 'number', title: 'Added', about: 'of these, how many are new' },
    removed: { type: 'number', title: 'Removed', about: 'how many are not there any more' },
  },
  examples: [
    {
      command:
        'bundle publish /srv/www/cacert /usr/share/ca-certificates --signer signer.pem --key signer.key',
      about: 'The CAs of Debian',
    },
  ],
  async run({ args: { directory, sources }, options }) {
    const { bundle: name, revision, days, reason } = options;
    const signer = await readSigner(options.signer, options.key, options);
    const further = {
      ...(revision !== undefined && { revision }),
      ...(reason !== undefined && { removalReason: reason }),
    };
    const publication = { name, sources, directory, signer, validDays: days, ...further };
    try {
      const { count, added, removed, ...done } = await publishBundle(publication, new Date());
      const counts = { certificates: count, added: added.length, removed: removed.length };
      return { data: { bundle: name, ...done, ...counts } };
    } catch (error) {
      throw error instanceof BundleFault ? refusalOf(error) : error;
    }
  },
});

async function readSigner(
  certificates: string,
  key: string,
  options: Parameters<typeof readBlocks>[1],
): Promise<Signer> {
  const [certificate, ...intermediates] = (await readBlocks([certificates]))
    .filter(isCertificateBlock)
    .map(({ der }) => readCertificate(der));
  if (!certificate) throw new CommandError('refused', `${certificates} holds no certificate.`);
  const keyBlock = (await readBlocks([key], options)).find((block) => !isCertificateBlock(block));
  if (!keyBlock) throw new CommandError('refused', `${key} holds no private key.`);
  return { certificate, intermediates, key: createPrivateKey(keyBlock.text) };
}
