import { isUtf8 } from 'node:buffer';
import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import {
  type Asn1,
  bytesOf,
  childrenOf,
  contextPrimitive,
  contextTag,
  oid,
  sequence,
  tags,
  universalTag,
} from './der.ts';

/** A subject alternative name of the kinds that a device uses (RFC 5280 §4.2.1.6). */
export interface GeneralName {
  readonly kind: 'dns' | 'ip' | 'email' | 'uri';
  readonly value: string;
}

/** The longest names of each kind, in characters (RFC 1035 §2.3.4, RFC 5321 §4.5.3.1; URIs as servers take them). */
export const longestNames = { dns: 253, emailUser: 64, emailHost: 255, uri: 2048 } as const;

const longestPrefix = 32;

const contextTags = { email: 1, dns: 2, uri: 6, ip: 7 } as const;

const prefixes: readonly [RegExp, GeneralName['kind']][] = [
  [/^DNS(?: ?Name)?[:=]/i, 'dns'],
  [/^IP(?: ?Address)?[:=]/i, 'ip'],
  [/^(?:e-?mail|RFC822(?: ?Name)?)[:=]/i, 'email'],
  [/^URI[:=]/i, 'uri'],
];

/**
 * Reads a name as clients write them: bare, or with OpenSSL's prefix with or without a space
 * (`bmc.example.com`, `DNS: bmc`, `IP: 192.0.2.1`, `email:a@b`, `URI:https://…`).
 * @returns `undefined` when the text is no valid name of its kind, or a longer one than there are.
 */
export function parseGeneralName(text: string): GeneralName | undefined {
  const trimmed = text.trim();
  if (trimmed.length > longestPrefix + longestNames.uri) return undefined;
  for (const [prefix, kind] of prefixes) {
    const match = prefix.exec(trimmed);
    if (match) return checked(kind, trimmed.slice(match[0].length).trim());
  }
  return checked(guessKind(trimmed), trimmed);
}

const hostAndPort = /^(?:\[([\d.:a-f]+)\]|([^\s:@/]+)):\d{1,5}$/i;

/**
 * Reads what clients of a server know it by: a DNS name or an address, also with a port.
 * @returns `undefined` for every other text
 */
export function parseHost(text: string): GeneralName | undefined {
  const name = parseGeneralName(text) ?? readHostAndPort(text);
  // URLs take a host that ends in a number for an address of IPv4, so no client can ask for such a name
  if (name?.kind === 'dns') return /(?:^|\.)\d+$/.test(name.value) ? undefined : name;
  return name?.kind === 'ip' ? name : undefined;
}

/**
 * Reads a host with the port of a URL behind it, which scripts for OpenBMC give as a name of a certificate
 * (`DNS: bmc:443`). A host that is an address is one in the certificate, too: no client looks for it among DNS names.
 * @returns the name without the port; `undefined` for every other text
 */
export function readHostAndPort(text: string): GeneralName | undefined {
  const trimmed = text.trim();
  if (trimmed.length > longestPrefix + longestNames.dns || parseGeneralName(trimmed))
    return undefined;
  const [prefix, kind] = prefixes.find(([pattern]) => pattern.test(trimmed)) ?? ['', 'dns'];
  if (kind !== 'dns' && kind !== 'ip') return undefined;
  const [, address, host = ''] = hostAndPort.exec(trimmed.replace(prefix, '').trim()) ?? [];
  const name = parseGeneralName(address ?? host);
  return name && (name.kind === 'ip' || name.kind === 'dns') ? name : undefined;
}

export function encodeGeneralNames(names: readonly GeneralName[]): Asn1 {
  return sequence(
    ...names.map(({ kind, value }) => {
      const bytes = kind === 'ip' ? addressBytes(value) : Buffer.from(value);
      return contextPrimitive(contextTags[kind], bytes);
    }),
  );
}

/** Reads the names of a certificate; kinds that a device does not use are left out. */
export function readGeneralNames(node: Asn1): GeneralName[] {
  return childrenOf(node).flatMap((child): GeneralName[] => {
    switch (contextTag(child)) {
      case contextTags.dns:
        return [{ kind: 'dns', value: nameText(bytesOf(child)) }];
      case contextTags.email:
        return [{ kind: 'email', value: nameText(bytesOf(child)) }];
      case contextTags.uri:
        return [{ kind: 'uri', value: nameText(bytesOf(child)) }];
      case contextTags.ip: {
        const value = formatAddress(bytesOf(child));
        return value === undefined ? [] : [{ kind: 'ip', value }];
      }
      default:
        return [];
    }
  });
}

/** RFC 5280 §4.2.1.6 has ASCII alone; what others write is UTF-8 more often than anything else. */
function nameText(bytes: Buffer): string {
  return bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
}

/**
 * The user principal names among the names of a certificate: otherName of Microsoft's type with a
 * UTF8String. What has another structure is none of them.
 */
export function readPrincipalNames(node: Asn1): string[] {
  return childrenOf(node).flatMap((child) => {
    if (contextTag(child) !== 0 || !Array.isArray(child.value)) return [];
    const [type, wrapped] = child.value;
    if (
      !type ||
      universalTag(type) !== tags.OBJECT_IDENTIFIER ||
      !bytesOf(type).equals(principalName)
    )
      return [];
    const [value] = contextTag(wrapped) === 0 ? childrenOf(wrapped) : [];
    return universalTag(value) === tags.UTF8_STRING ? [bytesOf(value).toString('utf8')] : [];
  });
}

const principalName = bytesOf(oid('1.3.6.1.4.1.311.20.2.3'));

/** True for a host name of letter-digit-hyphen labels; the first one may be a `*`. */
export function isHostName(text: string): boolean {
  if (text.length === 0 || text.length > longestNames.dns) return false;
  const labels = text.split('.');
  const rest = labels[0] === '*' && labels.length > 1 ? labels.slice(1) : labels;
  return rest.every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label));
}

function guessKind(text: string): GeneralName['kind'] {
  if (isIPv4(text) || isIPv6(withoutBrackets(text))) return 'ip';
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)) return 'uri';
  return text.includes('@') ? 'email' : 'dns';
}

/** As a URL has an address of IPv6. */
function withoutBrackets(text: string): string {
  return text.replace(/^\[([\d.:a-f]+)\]$/i, '$1');
}

function checked(kind: GeneralName['kind'], value: string): GeneralName | undefined {
  switch (kind) {
    case 'ip': {
      const address = withoutBrackets(value);
      const isAddress = (isIPv4(address) || isIPv6(address)) && !address.includes('%');
      return isAddress ? { kind, value: address } : undefined;
    }
    case 'dns': {
      if (value.length > longestNames.dns) return undefined;
      // RFC 1034 §3.1 has the dot of the root at the end, RFC 5280 §4.2.1.6 does not
      const ascii = (isAscii(value) ? value : domainToASCII(value)).replace(/\.$/, '');
      return isHostName(ascii) ? { kind, value: ascii } : undefined;
    }
    case 'email':
      return isEmailAddress(value) ? { kind, value } : undefined;
    case 'uri':
      if (value.length > longestNames.uri) return undefined;
      return isAscii(value) && URL.canParse(value) ? { kind, value } : undefined;
  }
}

function isEmailAddress(text: string): boolean {
  const [user = '', host = '', ...others] = text.split('@');
  if (user === '' || host === '' || others.length > 0 || !isAscii(text)) return false;
  return user.length <= longestNames.emailUser && host.length <= longestNames.emailHost;
}

function isAscii(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

/** The 4 or 16 bytes of an address in its text form. */
function addressBytes(text: string): Buffer {
  if (isIPv4(text)) return Buffer.from(text.split('.').map(Number));
  // URL gives the one normal form of an IPv6 address, with an embedded IPv4 part already in hex
  const normal = new URL(`http://[${text}]`).hostname.slice(1, -1);
  const [head = '', tail] = normal.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  const groups = tail === undefined ? left : [...left, ...zeros, ...right];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function formatAddress(bytes: Buffer): string | undefined {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return undefined;
  const groups = bytes.toString('hex').match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
