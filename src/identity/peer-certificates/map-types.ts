import { isIPv4 } from 'node:net';
import type { Configuration } from '../../platform/configuration.ts';
import type { Certificate } from '../../x509/certificate.ts';
import { DerError } from '../../x509/der.ts';
import { isHostName } from '../../x509/general-names.ts';
import { valuesOf } from '../../x509/name.ts';
import {
  readSubjectNames,
  type SubjectAltName,
  type SubjectNames,
} from '../../x509/subject-names.ts';
import type { CertificateLogin } from '../accounts/access-settings.ts';
import type { Refusal } from './refusal.ts';

/** How the name of a user is found in a certificate; the schema of the configuration declares the words. */
export type MapType = Configuration['clientIdentities']['certToName'][number]['mapType'];

/** What a map type looks at beside the certificate. */
export interface MappingContext {
  /** Name of the device; the domain of a user principal name must be one that it belongs to. */
  readonly hostName: () => string;
  /** The account that has a certificate. */
  readonly ownerOf: (certificate: Certificate) => string | undefined;
}

/** The name that a map type finds, or why it finds none. */
export type DerivedName = { readonly name: string } | { readonly refusal: NameRefusal };

type NameRefusal = Extract<
  Refusal,
  'no-user-name' | 'ambiguous-name' | 'not-a-user-name' | 'not-listed' | 'unreadable'
>;

interface MapTypeRule {
  readonly source: string;
  /** What the name of the user is, for the documentation. */
  readonly about: string;
  /** @param specified the name that the entry gives */
  readonly nameOf: (
    certificate: Certificate,
    context: MappingContext,
    specified: string | undefined,
  ) => DerivedName;
}

/** Every map type. A name comes from the certificate of the client, never from one of its authorities. */
export const mapTypes: Readonly<Record<MapType, MapTypeRule>> = {
  specified: {
    source: 'RFC 7407',
    about: 'the `name` of the entry',
    nameOf: (_certificate, _context, specified) =>
      onlyName(specified === undefined ? [] : [specified]),
  },
  'san-rfc822-name': {
    source: 'RFC 7407',
    about: 'the mail address of the alternative names, its host part in lower case',
    nameOf: fromNames(({ alternativeNames }) => onlyName(mapped(alternativeNames, 'rfc822Name'))),
  },
  'san-dns-name': {
    source: 'RFC 7407',
    about: 'the DNS name of the alternative names in lower case',
    nameOf: fromNames(({ alternativeNames }) => onlyName(mapped(alternativeNames, 'dNSName'))),
  },
  'san-ip-address': {
    source: 'RFC 7407',
    about:
      'the IP address of the alternative names: `192.0.2.1`, or the 32 hexadecimal digits of an IPv6 address in lower case',
    nameOf: fromNames(({ alternativeNames }) => onlyName(mapped(alternativeNames, 'iPAddress'))),
  },
  'san-any': {
    source: 'RFC 7407',
    about: 'the first alternative name of these three kinds, mapped as the kind is',
    nameOf: fromNames(({ alternativeNames }) =>
      onlyName(mapped(alternativeNames, 'rfc822Name', 'dNSName', 'iPAddress').slice(0, 1)),
    ),
  },
  'common-name': {
    source: 'RFC 7407',
    about: 'the common name of the subject (deprecated by the RFC)',
    nameOf: fromNames(({ commonNames }) => onlyName(commonNames)),
  },
  'san-dirname-cn': {
    source: 'our own',
    about: 'the common name of the directory name of the alternative names',
    nameOf: fromNames(directoryCommonName),
  },
  CommonName: {
    source: 'Redfish',
    about: 'the first common name of the subject',
    nameOf: ({ subject }) => redfishName(valuesOf(subject, 'CN')[0]),
  },
  UserPrincipalName: {
    source: 'Redfish',
    about:
      "the part before the `@` of the first user principal name, whose domain is one of the device's",
    nameOf: (certificate, { hostName }) => redfishName(principalOf(certificate, hostName())),
  },
  Whole: {
    source: 'Redfish',
    about: 'the account that has this very certificate in its `Certificates`, compared by SHA-256',
    nameOf: (certificate, { ownerOf }) => {
      const name = ownerOf(certificate);
      return name === undefined ? { refusal: 'not-listed' } : { name };
    },
  },
};

export function isMapType(text: string): text is MapType {
  return Object.hasOwn(mapTypes, text);
}

/** Whether Redfish knows a map type, as a value of `CertificateMappingAttribute`. */
export function isRedfishMapType(text: string): text is CertificateLogin['mapping'] {
  return Object.entries(mapTypes).some(([key, { source }]) => key === text && source === 'Redfish');
}

/**
 * Whether a name may be looked for among the users. No user has another name, and a stricter rule than that of any
 * directory leaves nothing to look-alikes, to control characters or to paths.
 */
export function isUserName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._@-]{0,254}$/.test(name);
}

/** The name that a certificate has at a place. Of two the second may be there for another service to find. */
function onlyName(found: readonly (string | undefined)[]): DerivedName {
  const [name, ...others] = found;
  if (found.length === 0) return { refusal: 'no-user-name' };
  if (others.length > 0) return { refusal: 'ambiguous-name' };
  return name !== undefined && isUserName(name) ? { name } : { refusal: 'not-a-user-name' };
}

function fromNames(nameOf: (names: SubjectNames) => DerivedName): MapTypeRule['nameOf'] {
  return ({ der }) => {
    try {
      return nameOf(readSubjectNames(der));
    } catch (error) {
      if (error instanceof DerError) return { refusal: 'unreadable' };
      throw error;
    }
  };
}

/** Several directory names are ambiguous even where only one of them has a common name. */
function directoryCommonName({ alternativeNames }: SubjectNames): DerivedName {
  const [commonNames = [], ...others] = alternativeNames.flatMap((one) =>
    one.kind === 'directoryName' ? [one.value ?? []] : [],
  );
  return others.length > 0 ? { refusal: 'ambiguous-name' } : onlyName(commonNames);
}

/** The names of some kinds as RFC 7407 maps them, in the order of the certificate. */
function mapped(
  names: readonly SubjectAltName[],
  ...kinds: readonly SubjectAltName['kind'][]
): (string | undefined)[] {
  return names
    .filter(({ kind }) => kinds.includes(kind))
    .map((one) => {
      switch (one.kind) {
        case 'rfc822Name':
          return one.value && mailAddress(one.value);
        case 'dNSName':
          return one.value && dnsName(one.value);
        case 'iPAddress':
          return one.value && address(one.value);
        default:
          return undefined;
      }
    });
}

/** With `san-any` a DNS name must not be taken for a mapped mail address or IP address. */
function dnsName(text: string): string | undefined {
  const name = text.toLowerCase();
  const isAddress = isIPv4(name) || /^[0-9a-f]{32}$/.test(name);
  return isHostName(name) && !isAddress ? name : undefined;
}

/** The local part may be anything that a user is called, so `a@b@c` would be ambiguous. */
function mailAddress(text: string): string | undefined {
  const [local, host, ...others] = text.split('@');
  if (!local || !host || others.length > 0) return undefined;
  return `${local}@${host.toLowerCase()}`;
}

function address(octets: Buffer): string {
  return octets.length === 4 ? octets.join('.') : octets.toString('hex');
}

const maxRedfishNameBytes = 255;

/** Redfish says nothing of names; no user has one with control characters, which must not become a part of something else. */
function redfishName(name: string | undefined): DerivedName {
  if (name === undefined || name === '' || /\p{Cc}/u.test(name)) return { refusal: 'no-user-name' };
  return Buffer.byteLength(name) <= maxRedfishNameBytes ? { name } : { refusal: 'no-user-name' };
}

function principalOf({ principalNames }: Certificate, hostName: string): string | undefined {
  const [principal = ''] = principalNames;
  const at = principal.indexOf('@');
  if (at < 0 || !isSuffix(principal.slice(at + 1), hostName)) return undefined;
  return principal.slice(0, at);
}

/** Whole labels are compared, so that `ample.com` is no domain of `bmc.example.com`. */
function isSuffix(domain: string, hostName: string): boolean {
  const labels = labelsOf(domain);
  const own = labelsOf(hostName);
  if (labels.length > own.length || labels.includes('')) return false;
  return labels.every((label, at) => label === own[own.length - labels.length + at]);
}

function labelsOf(name: string): string[] {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).split('.');
}
