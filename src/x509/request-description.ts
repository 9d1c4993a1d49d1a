import { createPublicKey, type KeyObject } from 'node:crypto';
import { CertError } from '../core/cert-error.ts';
import { childrenOf, contextTag, decode, encode, oidOf } from './der.ts';
import { find, readExtensions, readUsages, usageNames } from './extensions.ts';
import { type GeneralName, readGeneralNames } from './general-names.ts';
import { usualLimits } from './limits.ts';
import { type Name, readName } from './name.ts';
import { extensionIds, type KeyUsage, requestAttributes } from './oids.ts';

/** What a certification request asks for. */
export interface RequestDescription {
  readonly subject: Name;
  readonly alternativeNames: readonly GeneralName[];
  readonly keyUsage: readonly KeyUsage[];
  readonly publicKey: KeyObject;
}

/** RFC 2986 §4. @throws CertError `argument-invalid` for what is no request */
export function describeRequest(der: Uint8Array): RequestDescription {
  try {
    const [info] = childrenOf(decode(der));
    const [, subject, key, ...rest] = childrenOf(info);
    if (!key) throw new TypeError('no key');
    const attributes = rest.filter((field) => contextTag(field) === 0).flatMap(childrenOf);
    const requested = attributes
      .map((attribute) => childrenOf(attribute))
      .find(([type]) => oidOf(type) === requestAttributes.extensionRequest);
    const extensions = requested
      ? readExtensions(childrenOf(requested[1])[0], usualLimits.extensions)
      : [];
    const names = find(extensions, extensionIds.subjectAltName);
    return {
      subject: readName(subject),
      alternativeNames: names ? readGeneralNames(decode(names.value)) : [],
      keyUsage: usageNames(readUsages(extensions)),
      publicKey: createPublicKey({ key: encode(key), format: 'der', type: 'spki' }),
    };
  } catch (cause) {
    throw new CertError('argument-invalid', 'the request is no readable PKCS #10', { cause });
  }
}
