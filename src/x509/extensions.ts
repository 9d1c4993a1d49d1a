import {
  type Asn1,
  bitString,
  boolean,
  bytesOf,
  childrenOf,
  contextPrimitive,
  DerSizeError,
  decode,
  encode,
  ia5String,
  octetString,
  oid,
  oidOf,
  sequence,
  tags,
  universalTag,
} from './der.ts';
import { encodeGeneralNames, type GeneralName } from './general-names.ts';
import { extensionIds, type KeyUsage, keyPurposes, keyUsageBits } from './oids.ts';

export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** Reads the Extensions sequence (RFC 5280 §4.1.2.9). @throws DerSizeError for more than `max` */
export function readExtensions(node: Asn1 | undefined, max: number): Extension[] {
  if (childrenOf(node).length > max) throw new DerSizeError(`it has more than ${max} extensions`);
  return childrenOf(node).map((extension) => {
    const [id, ...rest] = childrenOf(extension);
    const critical =
      universalTag(rest[0]) === tags.BOOLEAN && bytesOf(rest[0]).some((byte) => byte !== 0);
    return { id: oidOf(id), critical, value: bytesOf(rest.at(-1)) };
  });
}

export function writeExtensions(extensions: readonly Extension[]): Asn1 {
  return sequence(
    ...extensions.map(({ id, critical, value }) =>
      critical
        ? sequence(oid(id), boolean(true), octetString(value))
        : sequence(oid(id), octetString(value)),
    ),
  );
}

export function basicConstraints(isCa: boolean): Extension {
  const value = isCa ? sequence(boolean(true)) : sequence();
  return { id: extensionIds.basicConstraints, critical: true, value: encode(value) };
}

export function subjectAltName(names: readonly GeneralName[]): Extension {
  const value = encode(encodeGeneralNames(names));
  return { id: extensionIds.subjectAltName, critical: false, value };
}

export function subjectKeyIdentifier(identifier: Uint8Array): Extension {
  const value = encode(octetString(identifier));
  return { id: extensionIds.subjectKeyIdentifier, critical: false, value };
}

export function authorityKeyIdentifier(identifier: Uint8Array): Extension {
  const value = encode(sequence(contextPrimitive(0, identifier)));
  return { id: extensionIds.authorityKeyIdentifier, critical: false, value };
}

export function netscapeComment(text: string): Extension {
  return { id: extensionIds.netscapeComment, critical: false, value: encode(ia5String(text)) };
}

/** The keyUsage and extendedKeyUsage extensions for a mixed list of usages; none for an empty one. */
export function usageExtensions(usages: readonly KeyUsage[]): Extension[] {
  const bits = usages.map((usage) => (keyUsageBits as readonly string[]).indexOf(usage));
  const purposes = usages.flatMap((usage) => (isKeyPurpose(usage) ? [keyPurposes[usage]] : []));
  const extensions: Extension[] = [];
  if (bits.some((bit) => bit >= 0)) {
    const value = encode(namedBits(bits.filter((bit) => bit >= 0)));
    extensions.push({ id: extensionIds.keyUsage, critical: true, value });
  }
  if (purposes.length > 0) {
    const value = encode(sequence(...[...new Set(purposes)].map(oid)));
    extensions.push({ id: extensionIds.extendedKeyUsage, critical: false, value });
  }
  return extensions;
}

/** What the two usage extensions allow; `undefined` for one that is absent, which restricts nothing. */
export interface Usages {
  /** Of keyUsage. */
  readonly bits: readonly (typeof keyUsageBits)[number][] | undefined;
  /** OIDs of extendedKeyUsage. */
  readonly purposes: readonly string[] | undefined;
}

export function readUsages(extensions: readonly Extension[]): Usages {
  const bits = find(extensions, extensionIds.keyUsage);
  const [, ...octets] = bits ? bytesOf(decode(bits.value, 1)) : [];
  const purposes = find(extensions, extensionIds.extendedKeyUsage);
  return {
    bits:
      bits &&
      keyUsageBits.filter((_, bit) => ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0),
    purposes: purposes && childrenOf(decode(purposes.value, maxPurposes + 1)).map(oidOf),
  };
}

/** Everything that the two usage extensions say; purposes that Redfish has no name for are left out. */
export function usageNames({ bits = [], purposes = [] }: Usages): KeyUsage[] {
  const names = Object.keys(keyPurposes) as (keyof typeof keyPurposes)[];
  return [...bits, ...names.filter((name) => purposes.includes(keyPurposes[name]))];
}

const maxPurposes = 1000;

export function find(extensions: readonly Extension[], id: string): Extension | undefined {
  return extensions.find((extension) => extension.id === id);
}

function isKeyPurpose(usage: string): usage is keyof typeof keyPurposes {
  return Object.hasOwn(keyPurposes, usage);
}

/** A BIT STRING of named bits has no trailing zero bits (X.690 §11.2.2). */
function namedBits(bits: readonly number[]): Asn1 {
  const highest = Math.max(...bits);
  const octets = Buffer.alloc((highest >> 3) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return bitString(octets, 7 - (highest & 7));
}
